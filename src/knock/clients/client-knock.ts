import { type Carrier, readCarrier } from "../../policy/carrier.js";
import type { TokenSettings } from "../../policy/policy.js";
import { readStep, type Step } from "../../policy/step.js";
import { readTokenSettings } from "../../policy/token-settings.js";
import type { TokenStep } from "../packet.js";
import type { ProfileGate } from "./profile.js";

/** What a client sends to open a gate. Secret. Only this file reads it from a {@link ProfileGate}. */
export type ClientKnock = ClientSequence | ClientTokens;

/** A sequence without steps opens nothing: no gate is known. */
interface ClientSequence {
  readonly kind: "sequence";
  readonly steps: readonly Step[];
}

/** What the tokens of one user for one gate of one host are made from. */
export interface ClientTokens {
  readonly kind: "tokens";
  readonly carrier: Carrier;
  readonly user: string;
  readonly key: string;
  readonly policy: string;
  readonly gate: string;
  readonly host: string;
  readonly settings: TokenSettings;
}

/** Reads what opens a gate. A gate without steps and without all fields of a token opens by nothing. */
export function readClientKnock(profileGate: ProfileGate): ClientKnock {
  const { gate, steps = [], token, user, key, policy, tokenHost: host, tokens: settings } = profileGate;
  const isWhole =
    user !== undefined &&
    key !== undefined &&
    policy !== undefined &&
    host !== undefined &&
    settings !== undefined;
  if (token === undefined || !isWhole) return { kind: "sequence", steps: steps.map(readStep) };
  return {
    kind: "tokens",
    carrier: readCarrier(token),
    user,
    key,
    policy,
    gate,
    host,
    settings: readTokenSettings(settings),
  };
}

/** Whether there is nothing to send. */
export function isNothing(knock: ClientKnock): boolean {
  return knock.kind === "sequence" && knock.steps.length === 0;
}

/** The packet that brings a token. */
export function makeTokenStep(carrier: Carrier, token: string, use: TokenStep["use"]): TokenStep {
  return { kind: "token", carrier, token, use };
}
