import type { PacketKind } from "../../model/packet.js";
import type { Finding } from "../../policy/finding.js";
import { readAddress } from "./address.js";
import type { CapturedPacket, PacketReading } from "./captured-packet.js";

/** What a line inherits from the line before it. */
interface Before {
  readonly atMs: number;
  readonly source: string | undefined;
}

interface Wrong {
  readonly rule: string;
  readonly message: string;
  readonly fix: string;
}

/**
 * The first source port for packets whose line names none. Each such line gets its own port, as each packet of a client
 * does.
 */
const firstSourcePort = 40_000;
const sourcePorts = 20_000;

/** The most payload that one IPv4 datagram can carry (RFC 791, 3.1), without the headers of IP and UDP. */
const maximumBytes = 65_507;

/**
 * Reads packets from text, one per line: `[TIME] [SOURCE] tcp PORT`, `udp PORT [N bytes]` or `icmp N bytes`.
 *
 * `TIME` is in seconds, from the beginning (`1.5`) or from the line before (`+0.2`). Default: the time of the line
 * before. `SOURCE` is an IPv4 or IPv6 address. Default: the source of the line before. `from PORT` at the end gives the
 * source port. Default: a different one for each line. `#` begins a comment.
 *
 * Each wrong line is a finding, which never shows what the line contains.
 *
 * @example
 * ```ts
 * parsePackets("0 198.51.100.7 tcp 7411\n+1.2 udp 8522 9 bytes\n").packets.length; // 2
 * ```
 */
export function parsePackets(text: string): PacketReading {
  const packets: CapturedPacket[] = [];
  const findings: Finding[] = [];
  let before: Before = { atMs: 0, source: undefined };
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const words = line
      .replace(/#.*/, "")
      .split(/\s+/)
      .filter((word) => word !== "");
    if (words.length === 0) continue;
    const read = readLine(words, before, firstSourcePort + (index % sourcePorts));
    if ("rule" in read) {
      findings.push({ path: `line ${index + 1}`, ...read });
    } else {
      packets.push(read);
      before = read;
    }
  }
  return { packets, findings, skipped: [] };
}

/** Writes packets as {@link parsePackets} reads them. Their destinations and tokens are left out. */
export function formatPackets(packets: readonly CapturedPacket[]): string {
  return packets
    .map(({ atMs, source, kind }) => `${Number((atMs / 1_000).toFixed(6))} ${source} ${formatKind(kind)}\n`)
    .join("");
}

function formatKind(kind: PacketKind): string {
  switch (kind.kind) {
    case "tcp":
      return `tcp ${kind.port} from ${kind.sourcePort}`;
    case "udp":
      return `udp ${kind.port} ${kind.payloadBytes} bytes from ${kind.sourcePort}`;
    case "echo":
      return `icmp ${kind.payloadBytes} bytes`;
    case "established":
      return "established";
  }
}

function readLine(words: readonly string[], before: Before, sourcePort: number): CapturedPacket | Wrong {
  const time =
    /^[+\d]/.test(words[0] ?? "") && readAddress(words[0] ?? "") === undefined ? words[0] : undefined;
  const atMs = time === undefined ? before.atMs : readTime(time, before.atMs);
  if (atMs === undefined) {
    return wrong(
      "packet-time",
      "does not begin with a time.",
      'Write seconds, like "1.5", or "+0.2" after the line before.',
    );
  }
  if (atMs < before.atMs) {
    return wrong("packet-order", "comes before the line above it.", "Put the lines in order of time.");
  }
  const rest = words.slice(time === undefined ? 0 : 1);
  const isNamed = !isKindWord(rest[0]);
  const source = isNamed ? readAddress(rest[0] ?? "") : before.source;
  if (source === undefined) {
    return isNamed
      ? wrong("packet-source", "has no source address.", 'Write it like "198.51.100.7" or "2001:db8::7".')
      : wrong("packet-source", "has no source address, and no line before it has one.", "Name the source.");
  }
  const kind = readKind(rest.slice(isNamed ? 1 : 0), sourcePort);
  return "rule" in kind ? kind : { atMs, source, kind };
}

function readTime(text: string, beforeMs: number): number | undefined {
  const found = /^(\+?)(\d{1,10}(?:\.\d{1,9})?)s?$/.exec(text);
  if (found === null) return undefined;
  const readMs = Number(found[2]) * 1_000;
  return Math.round((found[1] === "+" ? beforeMs + readMs : readMs) * 1_000) / 1_000;
}

function isKindWord(word: string | undefined): boolean {
  return /^(tcp|udp|icmp|icmpv6|ping|established)$/i.test(word ?? "");
}

function readKind([word, ...words]: readonly string[], given: number): PacketKind | Wrong {
  const left = [...words];
  switch (word?.toLowerCase()) {
    case "tcp":
    case "udp": {
      const isUdp = word.toLowerCase() === "udp";
      const port = readNumber(left.shift(), 1, 65_535);
      if (port === undefined) {
        return wrong(
          "packet-port",
          "has no destination port.",
          `Write it like "${isUdp ? "udp 5353" : "tcp 80"}".`,
        );
      }
      const payloadBytes = isUdp ? takeBytes(left) : undefined;
      const sourcePort = takeSourcePort(left) ?? given;
      if (left.length > 0) return wrongRest(isUdp ? '"N bytes" or "from PORT"' : '"from PORT"');
      return isUdp
        ? { kind: "udp", port, sourcePort, payloadBytes: payloadBytes ?? 0 }
        : { kind: "tcp", port, sourcePort };
    }
    case "icmp":
    case "icmpv6":
    case "ping": {
      const payloadBytes = takeBytes(left);
      if (payloadBytes === undefined) {
        return wrong(
          "packet-bytes",
          "does not say how many bytes it carries.",
          'Write it like "icmp 56 bytes".',
        );
      }
      return left.length > 0 ? wrongRest("a comment") : { kind: "echo", payloadBytes };
    }
    case "established":
      return left.length > 0 ? wrongRest("a comment") : { kind: "established" };
    default:
      return wrong(
        "packet-kind",
        "does not say what the packet is.",
        "Write tcp, udp or icmp after the source.",
      );
  }
}

/** Takes `N bytes` off the front, if it is there. */
function takeBytes(words: string[]): number | undefined {
  const bytes = readNumber(words[0], 0, maximumBytes);
  if (bytes === undefined || !/^bytes?$/i.test(words[1] ?? "")) return undefined;
  words.splice(0, 2);
  return bytes;
}

/** Takes `from PORT` off the front, if it is there. */
function takeSourcePort(words: string[]): number | undefined {
  const port = readNumber(words[1], 0, 65_535);
  if (port === undefined || words[0]?.toLowerCase() !== "from") return undefined;
  words.splice(0, 2);
  return port;
}

function readNumber(text: string | undefined, least: number, most: number): number | undefined {
  if (!/^\d{1,5}$/.test(text ?? "")) return undefined;
  const value = Number(text);
  return least <= value && value <= most ? value : undefined;
}

function wrongRest(allowed: string): Wrong {
  return wrong(
    "packet-rest",
    "has something after the packet that can't be read.",
    `Only ${allowed} is allowed there.`,
  );
}

function wrong(rule: string, message: string, fix: string): Wrong {
  return { rule, message, fix };
}
