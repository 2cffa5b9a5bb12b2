import type { Finding } from "../policy/finding.js";
import type { Event, Policy } from "../policy/policy.js";
import { readAddress } from "./address.js";
import { readLogTime } from "./log-time.js";

/** What the host's kernel wrote of one packet. */
export interface LogEvent {
  /** When, in milliseconds of the log's own clock. */
  readonly atMs: number;
  /** The gate's name. */
  readonly gate: string;
  /** What became of the packet. */
  readonly event: Event;
  /** The address that it came from. */
  readonly source: string;
  /** `TCP`, `UDP` or `ping`. */
  readonly packet: string;
  /** The port it went to; of `opened` it is the last step's, which is secret. */
  readonly port?: number;
}

/** What a log held. */
export interface LogReading {
  /** In the order of the lines. */
  readonly events: readonly LogEvent[];
  /** What is wrong, each with its `path`: `line 3`, `policy.log`. */
  readonly findings: readonly Finding[];
  /** What was left out, and why, in words. */
  readonly skipped: readonly string[];
}

const yearMs = 366 * 86_400_000;

/**
 * Reads the lines that a host with the policy's `log` option writes to its kernel's log: the output of `journalctl -k`
 * in any of its short forms, of `dmesg`, or a file of syslog. All other lines are passed over.
 */
export function parseLogLines(text: string, policy: Policy): LogReading {
  if (policy.log === undefined) return { events: [], findings: [logOff()], skipped: [] };
  // The prefix has no character that a pattern would take for more than itself.
  const ours = new RegExp(
    String.raw`(?:^|\s)${policy.log.prefix} (\S+) (opened|accepted|dropped|reset) +(IN=.*)$`,
  );
  const gates = policy.gates.map(({ name }) => name);
  const events: LogEvent[] = [];
  const findings: Finding[] = [];
  let [untimed, foreign, yearsMs, beforeMs] = [0, 0, 0, 0];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, gate = "", event, packet] = ours.exec(line) ?? [];
    if (packet === undefined) continue;
    if (!gates.includes(gate)) {
      foreign++;
      continue;
    }
    const time = readLogTime(line);
    if (time === undefined) untimed++;
    if (time?.isYearless && time.atMs + yearsMs < beforeMs - yearMs / 2) yearsMs += yearMs;
    const atMs = time === undefined ? beforeMs : time.atMs + (time.isYearless ? yearsMs : 0);
    const read = readPacket(packet);
    if (read === undefined) {
      findings.push(brokenLine(index + 1));
    } else {
      events.push({ atMs, gate, event: event as Event, ...read });
      beforeMs = atMs;
    }
  }
  const skipped = [
    ...(foreign > 0 ? [`${countLines(foreign)}: of gates that the policy does not have`] : []),
    ...(untimed > 0
      ? [`the times of ${countLines(untimed)}: they have none, so each comes with the one before`]
      : []),
  ];
  return { events, findings, skipped };
}

/** Reads what xt_LOG and nf_log write of a packet. Addresses of IPv6 are written there without any shortening. */
function readPacket(text: string): Pick<LogEvent, "source" | "packet" | "port"> | undefined {
  const field = (name: string): string | undefined => new RegExp(` ${name}=(\\S+)`).exec(text)?.[1];
  const source = readAddress(field("SRC") ?? "");
  const protocol = field("PROTO");
  if (source === undefined || protocol === undefined) return undefined;
  if (protocol === "ICMP" || protocol === "ICMPv6") return { source, packet: "ping" };
  const port = Number(field("DPT"));
  return Number.isInteger(port) && port > 0 ? { source, packet: protocol, port } : undefined;
}

function countLines(count: number): string {
  return `${count} ${count === 1 ? "line" : "lines"}`;
}

function logOff(): Finding {
  return {
    path: "policy.log",
    rule: "log-off",
    message: "is not set, so that the host writes no lines.",
    fix: 'Set log.events, for instance to ["opened", "dropped", "reset"], and bring the policy to the host.',
  };
}

function brokenLine(number: number): Finding {
  return {
    path: `line ${number}`,
    rule: "log-line",
    message: "is of this policy, and does not say which packet it was.",
    fix: "Give whole lines, as journalctl -k or dmesg write them, not cut off at the terminal's width.",
  };
}
