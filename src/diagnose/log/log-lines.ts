import type { Finding } from "../../policy/finding.js";
import type { Event, Policy } from "../../policy/policy.js";
import { readAddress } from "../capture/address.js";
import { readLogTime } from "./log-time.js";

/** One line that the host's kernel logged about a packet. */
export interface LogEvent {
  /** When the kernel logged it, in milliseconds of the log's own clock. */
  readonly atMs: number;
  /** The gate's name. */
  readonly gate: string;
  /** What became of the packet. */
  readonly event: Event;
  /** Whose token opened the door. */
  readonly user?: string;
  /** The address that it came from. */
  readonly source: string;
  /** `TCP`, `UDP` or `ping`. */
  readonly packet: string;
  /** The port that it went to. For `opened` it is the last step's port, which is secret. */
  readonly port?: number;
}

/** What was read from a log. */
export interface LogReading {
  /** In the order of the lines. */
  readonly events: readonly LogEvent[];
  /** What is wrong with the log. Each finding has its `path`: `line 3`, `policy.log`. */
  readonly findings: readonly Finding[];
  /** What was left out, and why, in words. */
  readonly skipped: readonly string[];
}

const yearMs = 366 * 86_400_000;

/**
 * Reads the lines that a host writes to its kernel's log when the policy has `log`. The text is the output of
 * `journalctl -k` in any of its short forms, the output of `dmesg`, or a file of syslog. Other lines are skipped.
 */
export function parseLogLines(text: string, policy: Policy): LogReading {
  if (policy.log === undefined) return { events: [], findings: [logOff()], skipped: [] };
  // The prefix has no character with a special meaning in a pattern.
  const ours = new RegExp(
    String.raw`(?:^|\s)${policy.log.prefix} (\S+) (opened|accepted|dropped|reset) +(?:(\S+) +)?(IN=.*)$`,
  );
  const gates = policy.gates.map(({ name }) => name);
  const events: LogEvent[] = [];
  const findings: Finding[] = [];
  let [untimed, foreign, yearsMs, beforeMs] = [0, 0, 0, 0];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, gate = "", event, user, packet] = ours.exec(line) ?? [];
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
      events.push({ atMs, gate, event: event as Event, ...(user === undefined ? {} : { user }), ...read });
      beforeMs = atMs;
    }
  }
  const skipped = [
    ...(foreign > 0 ? [`${countLines(foreign)}: of gates that the policy does not have`] : []),
    ...(untimed > 0
      ? [
          `the times of ${countLines(untimed)}: the log has none, so each line has the time of the line before`,
        ]
      : []),
  ];
  return { events, findings, skipped };
}

/** Reads the packet in a line of xt_LOG or nf_log. They write all digits of an IPv6 address. */
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
    message: "is not set, so the host writes no lines.",
    fix: 'Set log.events, for instance to ["opened", "dropped", "reset"], and bring the policy to the host.',
  };
}

function brokenLine(number: number): Finding {
  return {
    path: `line ${number}`,
    rule: "log-line",
    message: "is of this policy, but does not say which packet it was.",
    fix: "Give whole lines, as journalctl -k or dmesg write them, not cut off at the terminal's width.",
  };
}
