import { unreachable } from "../errors.js";
import { countBits } from "../lint/entropy.js";
import type { Carrier } from "../policy/carrier.js";
import type { Gate, Policy, SequenceKnock, TokenKnock } from "../policy/policy.js";
import type { GatePaths } from "../policy/policy-path.js";
import { findDeployUser, listTokenGates } from "../policy/user.js";
import type { SecretFormatter } from "../ruleset/ruleset.js";
import type { MakePart, Part } from "./part.js";
import { describeStep, formatSeconds } from "./words.js";

/** A gate's knock in words. */
interface KnockExplanation {
  /** How many bits a guesser has to guess. */
  readonly bits: number;
  /** What the knock is called in a sentence: `the last step`, `the token`. */
  readonly lastPacket: string;
  /** One for each packet, in order. */
  readonly steps: readonly Part[];
  /** `undefined`: the knock is one packet. */
  readonly betweenSteps: { readonly timeoutSeconds: number; readonly isStrict: boolean } | undefined;
  /** What else closes the door. */
  readonly closers: readonly string[];
  /** What else there is to say of it. */
  readonly more: readonly Part[];
}

const tokenBits = 128;

/** Explains what opens a gate. */
export function explainKnock(
  { name, knock }: Gate,
  paths: GatePaths,
  show: SecretFormatter,
  makePart: MakePart,
): KnockExplanation {
  switch (knock.kind) {
    case "sequence":
      return explainSequence(name, knock, paths, show, makePart);
    case "token":
      return explainToken(knock, paths, makePart);
    default:
      return unreachable(knock);
  }
}

function explainSequence(
  gate: string,
  { steps, stepTimeoutSeconds, strict }: SequenceKnock,
  paths: GatePaths,
  show: SecretFormatter,
  makePart: MakePart,
): KnockExplanation {
  const pause = `at most ${formatSeconds(stepTimeoutSeconds)} between two steps; after that, the steps so far are forgotten`;
  const reset = strict
    ? "any other new packet of a source in mid-knock puts it back to the start"
    : "no: other packets between the steps change nothing";
  const isLong = steps.length > 1;
  return {
    bits: countBits(steps),
    lastPacket: "the last step",
    steps: paths.steps.flatMap((path, index) => {
      const step = steps[index];
      if (step === undefined) return [];
      return [makePart(path, `step ${index + 1}`, describeStep(gate, step, index + 1, show))];
    }),
    betweenSteps: isLong ? { timeoutSeconds: stepTimeoutSeconds, isStrict: strict } : undefined,
    closers: [],
    more: isLong
      ? [makePart(paths.stepTimeout, "pause", pause), makePart(paths.strict, "strict", reset)]
      : [],
  };
}

function explainToken({ carrier }: TokenKnock, paths: GatePaths, makePart: MakePart): KnockExplanation {
  return {
    bits: tokenBits,
    lastPacket: "the token",
    steps: [makePart(paths.token, "token", describeCarrier(carrier))],
    betweenSteps: undefined,
    closers: ["by a token with one byte more"],
    more: [],
  };
}

function describeCarrier(carrier: Carrier): string {
  switch (carrier.kind) {
    case "udp":
      return `UDP datagram to port ${carrier.port} with an unused token of a user`;
    case "icmpEcho":
      return "echo request with an unused token of a user";
    default:
      return unreachable(carrier);
  }
}

/** Explains whose tokens open which gates, and how long tokens are good. Empty if no token opens a gate. */
export function explainUsers(policy: Policy, makePart: MakePart): readonly Part[] {
  const gates = listTokenGates(policy);
  if (gates.length === 0) return [];
  const { slotSeconds, horizonDays, graceSeconds } = policy.tokens;
  const days = `${horizonDays} ${horizonDays === 1 ? "day" : "days"}`;
  const end = graceSeconds === 0 ? "the end of that time" : `${formatSeconds(graceSeconds)} after that time`;
  const meaning = `one for each ${formatSeconds(slotSeconds)}, good until ${end}; the host holds those of the next ${days}`;
  return [
    ...policy.users.map((user, index) => {
      const { name, from, gates: own } = user;
      const opened = gates.map((gate) => gate.name).filter((gate) => own === undefined || own.includes(gate));
      const sources = from === undefined ? "from anywhere" : `from ${from.join(", ")}`;
      const deployed = opened.filter((gate) => findDeployUser(policy, gate) === user);
      const deployer = deployed.length === 0 ? "" : `; Knockgate passes ${deployed.join(", ")} as this user`;
      return makePart(`users[${index}]`, `user ${name}`, `opens ${opened.join(", ")} ${sources}${deployer}`);
    }),
    makePart("tokens", "tokens", meaning),
  ];
}
