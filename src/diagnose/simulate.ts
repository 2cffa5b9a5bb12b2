import { unreachable } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import { followSource, type GateAttempt, holdTokens, type SourceAttempts } from "./attempt.js";
import type { CapturedPacket } from "./capture/captured-packet.js";
import { chooseHost } from "./choose-host.js";
import { describeEvents, describePacket } from "./describe-packet.js";
import { recognizeTokens } from "./known-tokens.js";
import { findSplitKnock } from "./split-knock.js";
import { type GateVerdict, judge } from "./verdict.js";

/** How packets are simulated. Each field has a default. */
export interface SimulationOptions {
  /**
   * The host's addresses. Packets to other addresses are left out. Default: the addresses to which most of the policy's
   * steps and connections went. Packets of a text file have no destination and always count.
   */
  readonly host?: readonly string[];
  /**
   * The host's name for tokens: `connection.host`, as the program that made the gate has it. Tokens in a capture are
   * read only if it is given.
   */
  readonly tokenHost?: string;
  /** Whether the trace shows ports and sizes, which reveal the knock. Default: false. */
  readonly showSecrets?: boolean;
}

/** What happened to one packet. */
export interface TraceLine {
  /** When it came, in milliseconds of the packets' own clock. */
  readonly atMs: number;
  /** The address that it came from. */
  readonly source: string;
  /** What the packet was and how each gate reacted, in words. */
  readonly text: string;
  /** Whether a gate reacted to it. */
  readonly isOfGate: boolean;
}

/** What happened to packets under a policy. */
export interface Simulation {
  /** The addresses that were used as the host's. Empty when no packet has a destination. */
  readonly host: readonly string[];
  /**
   * When the first packet came, in milliseconds of the packets' own clock. The texts of the trace and the verdicts
   * count from here.
   */
  readonly beginMs: number;
  /** One line for each packet, in order of time. */
  readonly trace: readonly TraceLine[];
  /** One for each source and gate, in the order of the sources' first packets. */
  readonly verdicts: readonly GateVerdict[];
}

/**
 * Simulates packets on the policy's model, and explains in words why gates opened or stayed closed.
 *
 * The model does not include limits of a backend, such as `limits`, or other firewalls that drop packets.
 *
 * @example
 * ```ts
 * const { packets } = parsePackets("0 198.51.100.7 tcp 7411\n+6.1 udp 8522");
 * simulatePackets(policy, packets).verdicts[0]?.text; // step 2 came 6.1 s after step 1; stepTimeout is 5 s
 * ```
 */
export function simulatePackets(
  policy: Policy,
  all: readonly CapturedPacket[],
  options: SimulationOptions = {},
): Simulation {
  const ordered = [...all].sort((one, other) => one.atMs - other.atMs);
  const { tokenHost } = options;
  const { packets, addresses } = chooseHost(policy, ordered, options.host);
  const played = tokenHost === undefined ? packets : recognizeTokens(policy, tokenHost, packets);
  const beginMs = played[0]?.atMs ?? 0;
  const host = holdTokens(policy, tokenHost, beginMs);
  const ways = new Map<string, SourceAttempts>();
  const trace = played.map((packet): TraceLine => {
    const { atMs, source } = packet;
    const way = ways.get(source) ?? followSource(policy, source, host);
    ways.set(source, way);
    const events = way.receive(packet);
    const said = describeEvents(events, packet, beginMs);
    const [{ listed } = { listed: undefined }] = way.attempts;
    const nothing = describeListed(listed);
    const text = `${describePacket(policy, packet, options.showSecrets === true)}: ${said.join("; ") || nothing}`;
    return { atMs, source, text, isOfGate: said.length > 0 };
  });
  return { host: addresses, beginMs, trace, verdicts: judgeAll(policy, played, [...ways.values()], beginMs) };
}

function judgeAll(
  policy: Policy,
  packets: readonly CapturedPacket[],
  ways: readonly SourceAttempts[],
  beginMs: number,
): readonly GateVerdict[] {
  const attempts = ways.flatMap((way) => way.attempts);
  const splits = new Map(
    policy.gates.map((gate) => {
      const own = attempts.filter((attempt) => attempt.gate === gate && attempt.openedAtMs.length > 0);
      return [gate, findSplitKnock(policy, gate, packets, new Set(own.map(({ source }) => source)))];
    }),
  );
  return attempts.map((attempt) => judge(attempt, beginMs, splits.get(attempt.gate)));
}

function describeListed(listed: GateAttempt["listed"]): string {
  switch (listed) {
    case "allowed":
      return "the source is in allowFrom";
    case "denied":
      return "the source is in denyFrom";
    case "link-local":
      return "the source's address is link-local";
    case undefined:
      return "it matches no gate";
    default:
      return unreachable(listed);
  }
}
