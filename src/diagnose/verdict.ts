import { describeFault } from "../model/explain.js";
import { stepsOf } from "../policy/knock.js";
import type { GateAttempt } from "./attempt.js";
import { formatMilliseconds } from "./capture/seconds.js";
import type { Reason } from "./cause.js";
import type { SplitKnock } from "./split-knock.js";

/** The result of one source at one gate. */
export interface GateVerdict {
  /** The address that the packets came from. */
  readonly source: string;
  /** The gate's name. */
  readonly gate: string;
  /**
   * Whether the door opened for the source, or the source needs no knock. False if its connections came only after the
   * door had closed.
   */
  readonly isOpen: boolean;
  /** Whether the source sent a step, sent something close to a step, or tried the door. */
  readonly isTried: boolean;
  /** A stable word; `docs/simulate.md` lists them all. */
  readonly reason: Reason;
  /** Why, in words. Steps are named by number, because their values are secret. */
  readonly text: string;
  /** What to do about it. Empty if there is nothing to do. */
  readonly advice: string;
}

/** What to do for each reason, in the order of the documentation. */
export const adviceByReason: Readonly<Record<Reason, string>> = {
  open: "",
  allowed: "",
  denied: "Remove the address from denyFrom, or use another one.",
  "link-local": "Use an address that belongs to the client on every link, or put this one into allowFrom.",
  "no-step":
    "Check that the client knocks at this host's address, and that no firewall on the way drops its packets.",
  "missing-step":
    "Check that the client sends all steps, and that no firewall on the way drops this one: capture at the client as well.",
  "too-late": "Send the steps faster, or raise stepTimeoutSeconds.",
  "wrong-order":
    "Send the steps one after the other, with a pause (50 ms), so that the network can't change their order.",
  "put-back": "Send nothing else to the host during the knock, or set strict to false.",
  retransmitted:
    "End each attempt before the system sends its SYN again, which is after a second: `timeout 0.3`, `nc -w`, `nmap --max-retries 0`.",
  "wrong-protocol": "Send the step over the protocol that the policy names.",
  "wrong-size":
    "Send exactly as many bytes of payload: ping -s counts them without headers (8 of ICMP, 20 of IPv4, 40 of IPv6), and echo adds a newline.",
  "two-sources":
    "Send all steps from one address: name the family (-4 or -6) where a host's name has both, and look for a NAT or VPN with several addresses.",
  "token-unread":
    "Give the host's name for tokens, and capture whole packets. Or compare the gate's counter `opened` before and after.",
  "token-unknown":
    "Check that the client has the user's key of now, and that it makes tokens for this policy, this gate and this host's name, as the profile has them.",
  "token-spent": "Send another token: that of the next slot, or wait until this slot is over.",
  "token-late": "Set the client's clock: it is behind.",
  "token-early":
    "Set the client's clock: it is ahead. If it is right, the host may have lost its tokens: then such a token is right, and `knockgate status` shows it.",
  "token-source": "Use an address that is in the user's `from`, or add this one.",
  "tried-too-early":
    "Connect after the last step; a SYN that is sent again a second later gets through, too.",
  "tried-too-late": "Connect sooner after the last step, or raise openForSeconds.",
};

/** Judges a course that has ended. If it failed, the first cause in the attempt that came furthest counts. */
export function judge(attempt: GateAttempt, beginMs: number, split: SplitKnock | undefined): GateVerdict {
  const { source, gate } = attempt;
  const [reason, text] = findReason(attempt, beginMs, split);
  return {
    source,
    gate: gate.name,
    isOpen: reason === "open" || reason === "allowed" || reason === "tried-too-early",
    isTried: attempt.steps.length + attempt.causes.length + attempt.refused.length + tries(attempt) > 0,
    reason,
    text,
    advice: adviceByReason[reason],
  };
}

function tries({ acceptedAtMs, droppedAtMs }: GateAttempt): number {
  return acceptedAtMs.length + droppedAtMs.length;
}

function findReason(
  attempt: GateAttempt,
  beginMs: number,
  split: SplitKnock | undefined,
): readonly [Reason, string] {
  if (attempt.listed === "allowed") return ["allowed", "the source is in allowFrom and needs no knock"];
  if (attempt.listed === "denied") return ["denied", "the source is in denyFrom, so no knock of it counts"];
  if (attempt.listed === "link-local")
    return [
      "link-local",
      "the source's address is link-local: another link may have the same, so no knock of it counts",
    ];
  if (attempt.openedAtMs.length > 0) return describeOpened(attempt, beginMs);
  if (split?.sources.includes(attempt.source)) return ["two-sources", describeSplit(split)];
  if (attempt.gate.knock.kind === "token") return describeUnopened(attempt, beginMs);
  const steps = attempt.gate.knock.steps.length;
  const causes = [...attempt.causes];
  // If strict is off, a step that came too early does not reset the source, but the step is still missing in its place.
  const early = causes.find((cause) => cause.early === attempt.taken + 1);
  if (attempt.taken > 0 && early !== undefined) return [early.reason, early.text];
  if (attempt.taken > 0) {
    const text = `step ${attempt.taken + 1} of ${steps} never came after step ${attempt.taken}`;
    causes.push({ reason: "missing-step", text, taken: attempt.taken });
  }
  const furthest = causes.reduce((most, { taken }) => Math.max(most, taken), 0);
  const cause = causes.find(({ taken }) => taken === furthest);
  if (cause !== undefined) return [cause.reason, cause.text];
  const dropped = attempt.droppedAtMs.length;
  return [
    "no-step",
    dropped === 0 ? "no step came" : `no step came; ${dropped} × dropped at the closed door`,
  ];
}

/** A token of one of the policy's users says most, then one that is nobody's, then a packet that was not read. */
function describeUnopened(attempt: GateAttempt, beginMs: number): readonly [Reason, string] {
  const { causes, refused, droppedAtMs } = attempt;
  const came =
    refused.find(({ fault }) => fault !== undefined && fault !== "unknown") ??
    refused.find(({ fault }) => fault !== undefined) ??
    refused[0];
  if (came !== undefined) {
    const at = formatMilliseconds(came.atMs - beginMs);
    return came.fault === undefined
      ? ["token-unread", `a packet of the size of a token came at ${at}, and was not read`]
      : [`token-${came.fault}`, `at ${at} came a packet ${toPhrase(describeFault(came.fault))}`];
  }
  const [cause] = causes;
  if (cause !== undefined) return [cause.reason, cause.text];
  const drops = droppedAtMs.length === 0 ? "" : `; ${droppedAtMs.length} × dropped at the closed door`;
  return ["no-step", `no token came${drops}`];
}

/** Goes on a sentence: `a packet with a token whose slot is over`, `a packet of the size of a token`. */
function toPhrase(fault: string): string {
  return fault.startsWith("a token") ? `with ${fault}` : fault;
}

function describeOpened(attempt: GateAttempt, beginMs: number): readonly [Reason, string] {
  const { openedAtMs, acceptedAtMs, droppedAtMs, openUntilMs } = attempt;
  const steps = stepsOf(attempt.gate).length;
  const at = (ms: number): string => formatMilliseconds(ms - beginMs);
  const isToken = attempt.gate.knock.kind === "token";
  const opened = isToken ? "a right token came" : `all ${steps} ${steps === 1 ? "step" : "steps"} came`;
  const until = `the door was open from ${at(openedAtMs[0] ?? 0)} to ${at(openUntilMs)}`;
  const [came] = acceptedAtMs;
  if (came !== undefined) return ["open", `${opened}; ${until}; a connection came through at ${at(came)}`];
  const late = droppedAtMs.find((ms) => ms >= openUntilMs);
  if (late !== undefined) {
    return [
      "tried-too-late",
      `${opened}; ${until}; a connection came ${formatMilliseconds(late - openUntilMs)} after that`,
    ];
  }
  const early = droppedAtMs.at(-1);
  if (early === undefined) return ["open", `${opened}; ${until}; no connection was tried`];
  const before = formatMilliseconds((openedAtMs.at(-1) ?? 0) - early);
  return ["tried-too-early", `${opened}; ${until}; the last connection came ${before} before that`];
}

function describeSplit({ steps }: SplitKnock): string {
  const parts = steps.map((source, index) => `step ${index + 1} from ${source}`);
  return `the steps came from several addresses: ${parts.join(", ")}`;
}
