import { unreachable } from "../errors.js";
import { type CarrierInput, readCarrier, writeCarrier } from "./carrier.js";
import type { Gate, Knock, SequenceKnock, TokenKnock } from "./policy.js";
import { readStep, type Step, type StepInput, writeStep } from "./step.js";

/** What a client sends, as users write it: exactly one of `steps` and `token`. Only this file reads it. */
export interface KnockInput {
  readonly steps?: readonly StepInput[] | undefined;
  readonly stepTimeoutSeconds?: number | undefined;
  readonly strict?: boolean | undefined;
  readonly token?: CarrierInput | undefined;
}

/** A gate that a sequence opens. */
export interface SequenceGate extends Gate {
  readonly knock: SequenceKnock;
}

/** A gate that a token opens. */
export interface TokenGate extends Gate {
  readonly knock: TokenKnock;
}

/** Fields of a sequence that may be left out. */
const defaults = { stepTimeoutSeconds: 5, strict: true } as const;

/** Reads a knock whose fields were already checked. */
export function readKnock({ steps, token, stepTimeoutSeconds, strict }: KnockInput): Knock {
  if (token !== undefined) return { kind: "token", carrier: readCarrier(token) };
  return {
    kind: "sequence",
    steps: (steps ?? []).map(readStep),
    stepTimeoutSeconds: stepTimeoutSeconds ?? defaults.stepTimeoutSeconds,
    strict: strict ?? defaults.strict,
  };
}

/** Writes a knock in the shape that users write. States, outputs and profiles have this shape. */
export function writeKnock(knock: Knock): KnockInput {
  switch (knock.kind) {
    case "sequence": {
      const { steps, stepTimeoutSeconds, strict } = knock;
      return { steps: steps.map(writeStep), stepTimeoutSeconds, strict };
    }
    case "token":
      return { token: writeCarrier(knock.carrier) };
    default:
      return unreachable(knock);
  }
}

export function isSequenceGate<Some extends Gate>(gate: Some): gate is Some & SequenceGate {
  return gate.knock.kind === "sequence";
}

export function isTokenGate<Some extends Gate>(gate: Some): gate is Some & TokenGate {
  return gate.knock.kind === "token";
}

/** The steps of a gate's sequence. A gate that a token opens has none. */
export function stepsOf({ knock }: Pick<Gate, "knock">): readonly Step[] {
  return knock.kind === "sequence" ? knock.steps : [];
}
