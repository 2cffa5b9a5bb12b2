import { stepsToSend } from "../../policy/knock.js";
import type { Gate, Policy } from "../../policy/policy.js";
import { type StepInput, writeStep } from "../../policy/step.js";
import { writeAlias } from "./alias.js";
import type { SshEndpoint } from "./ssh-endpoint.js";

/** What a client keeps of a host: how to reach it, and its gates with their knocks. Secret. */
export interface Profile {
  /** The host's name on a client's command line, and in its ssh_config(5). */
  readonly name: string;
  /** How to reach the host. */
  readonly way: SshEndpoint;
  /** Its gates, in the policy's order. */
  readonly gates: readonly ProfileGate[];
}

/** What a client needs to know to open a gate. */
export interface ProfileGate {
  /** The gate's name. */
  readonly gate: string;
  /** The ports that it protects, as the policy has them. */
  readonly protect: Gate["protect"];
  /** The steps of its knock, in the order in which they are sent. */
  readonly steps: readonly StepInput[];
  /** Longest pause between two steps. */
  readonly stepTimeoutSeconds: number;
  /** How long after the last step new connections are accepted. */
  readonly openForSeconds: number;
}

/** Makes a host's profile. Its name is that of the host's block in ssh_config(5). */
export function makeProfile(
  name: string,
  way: SshEndpoint,
  policy: Pick<Policy, "gates"> | undefined,
): Profile {
  return { name: writeAlias(name), way, gates: listGates(policy) };
}

/** Lists a policy's gates as clients need them. */
export function listGates(policy: Pick<Policy, "gates"> | undefined): readonly ProfileGate[] {
  return (policy?.gates ?? []).map(describeGate);
}

/** Describes one gate as clients need it. */
export function describeGate(gate: Gate): ProfileGate {
  const { name, protect, knock, openForSeconds } = gate;
  return {
    gate: name,
    protect,
    steps: stepsToSend(gate).map(writeStep),
    stepTimeoutSeconds: knock.kind === "sequence" ? knock.stepTimeoutSeconds : 0,
    openForSeconds,
  };
}
