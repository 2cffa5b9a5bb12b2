import { unreachable } from "../errors.js";
import type { ClientKnock } from "../knock/clients/client-knock.js";
import type { KnockStep, TokenStep } from "../knock/packet.js";
import { isTokenGate, stepsOf } from "../policy/knock.js";
import type { Gate, Policy } from "../policy/policy.js";
import { findDeployUser } from "../policy/user.js";
import { type Purse, type TokenSeries, triesOfTokens } from "./purse.js";

/**
 * What knocks as the deployer. A sequence is the same each time. A token is good once, so its packet is made right
 * before it is sent.
 */
export interface Knocker {
  /** How many knocks are worth sending in a round: the host takes one token, and another sequence does not help. */
  readonly tries: number;
  /** Makes the packets of the next knock, which opens all gates of this knocker. Secret. */
  next(): readonly KnockStep[];
  /** Makes packets that close the doors again. Nothing for a gate that a sequence opens. Secret. */
  close(): readonly TokenStep[];
  /** Notes that the last knock opened. */
  succeed(): void;
}

/** Finds what the deployer sends to open a gate. A gate without a user who could open it is opened by nothing. */
export function findKnock(
  policy: Pick<Policy, "name" | "users" | "deployAs" | "tokens">,
  gate: Gate,
  host: string,
): ClientKnock {
  if (!isTokenGate(gate)) return { kind: "sequence", steps: stepsOf(gate) };
  const user = findDeployUser(policy, gate.name);
  if (user === undefined) return { kind: "sequence", steps: [] };
  return {
    kind: "tokens",
    carrier: gate.knock.carrier,
    user: user.name,
    key: user.key,
    policy: policy.name,
    gate: gate.name,
    host,
    settings: policy.tokens,
  };
}

/** Makes what opens several gates, one after another. */
export function makeKnocker(knocks: readonly ClientKnock[], purse: Purse): Knocker {
  const parts = knocks.map((knock) => {
    return knock.kind === "tokens" ? { knock, series: purse.begin(knock) } : { knock, series: undefined };
  });
  const series = parts.flatMap((part) => (part.series === undefined ? [] : [part.series]));
  return {
    tries: series.length === 0 ? 1 : triesOfTokens,
    next: () => parts.flatMap(({ knock, series: tokens }) => makeSteps(knock, tokens)),
    close: () => series.map((tokens) => tokens.next("close")),
    succeed: () => {
      for (const tokens of series) tokens.succeed();
    },
  };
}

function makeSteps(knock: ClientKnock, series: TokenSeries | undefined): readonly KnockStep[] {
  if (knock.kind === "sequence") return knock.steps;
  return series === undefined ? [] : [series.next("open")];
}

/** Lists packets like those of a knock, to find out whether a machine can send them. None of them opens anything. */
export function listSamplePackets(knock: ClientKnock): readonly KnockStep[] {
  switch (knock.kind) {
    case "sequence":
      return knock.steps;
    case "tokens":
      return [{ kind: "token", carrier: knock.carrier, token: "0".repeat(32), use: "open" }];
    default:
      return unreachable(knock);
  }
}
