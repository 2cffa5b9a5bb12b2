import type * as pulumi from "@pulumi/pulumi";
import type { PolicyInput } from "../policy/policy.js";
import type { ConnectionInput } from "../transport/connection.js";
import type { KnockFleet } from "./knock-fleet.js";
import type { KnockGate } from "./knock-gate.js";
import type { RulesetState } from "./state.js";
import type { WaveInputs, WaveState } from "./wave-state.js";

// What is secret is said here, once: the resources' `additionalSecretOutputs`, what the plugin marks and the schema for
// other languages are made from it. A new property does not compile until it is said of it. Nothing is imported but
// types: a program that declares a gate shall not have to load the schemas.

/** `secret`: it stays so in state, previews and logs, whether the program marked it or not. */
type Secrecy = "secret" | "plain";

export type SecrecyOf<Name extends string> = Readonly<Record<Name, Secrecy>>;

/** Of the resource that changes a host. */
export const rulesetSecrecy: SecrecyOf<keyof RulesetState> = {
  connection: "secret",
  policy: "secret",
  proveFrom: "secret",
  behind: "secret",
  undoAfterSeconds: "plain",
  adopt: "plain",
  deleteUnreachable: "plain",
  health: "plain",
  recordFailure: "plain",
  keepFormer: "plain",
  origin: "plain",
  redactionKey: "secret",
  ruleset: "plain",
  drift: "plain",
  reachedBy: "plain",
  // A short list of ports can be guessed from its hash.
  digest: "secret",
  obstacles: "plain",
  counters: "plain",
  failure: "plain",
  former: "secret",
  lastChange: "plain",
};

/** Of the resource that ends a wave. */
export const waveSecrecy: SecrecyOf<keyof WaveInputs | keyof WaveState> = {
  fleet: "plain",
  wave: "plain",
  of: "plain",
  maxFailures: "plain",
  pauseSeconds: "plain",
  onFailure: "plain",
  hosts: "plain",
  rulesets: "secret",
  summary: "plain",
  undone: "plain",
};

type OutputName<Component> = {
  [Name in keyof Component]: Component[Name] extends pulumi.OutputInstance<unknown> ? Name : never;
}[keyof Component] &
  string;

/** Of what the components offer, a host of a fleet as well. */
export const componentSecrecy: SecrecyOf<Exclude<OutputName<KnockGate> | OutputName<KnockFleet>, "urn">> = {
  ruleset: "plain",
  digest: "secret",
  knock: "secret",
  sshConfig: "secret",
  profile: "secret",
  profiles: "secret",
  counters: "plain",
  summary: "plain",
};

type FieldName<T> = T extends readonly (infer Item)[]
  ? FieldName<Item>
  : T extends object
    ? { [Name in keyof T & string]-?: Name | FieldName<NonNullable<T[Name]>> }[keyof T & string]
    : never;

/**
 * Of the fields of connections and policies, at any depth. The whole is secret; other languages mark these by themselves
 * as well, and of a login a preview shows those that are plain.
 */
export const fieldSecrecy: SecrecyOf<FieldName<ConnectionInput> | FieldName<PolicyInput>> = {
  host: "plain",
  port: "plain",
  user: "plain",
  password: "secret",
  privateKey: "secret",
  privateKeyPassword: "secret",
  agentSocketPath: "plain",
  hostKey: "plain",
  ignoreHostKey: "plain",
  dialErrorLimit: "plain",
  perDialTimeout: "plain",
  sudoPassword: "secret",
  proxy: "plain",
  name: "plain",
  gates: "plain",
  allowFrom: "plain",
  denyFrom: "plain",
  backend: "plain",
  scope: "plain",
  stealth: "plain",
  log: "plain",
  limits: "plain",
  acceptRisks: "plain",
  expect: "plain",
  protect: "plain",
  knock: "secret",
  openForSeconds: "plain",
  tcp: "plain",
  udp: "plain",
  udpPayloadBytes: "plain",
  icmpPayloadBytes: "plain",
  steps: "secret",
  stepTimeoutSeconds: "plain",
  strict: "plain",
  events: "plain",
  prefix: "plain",
  perMinute: "plain",
  sources: "plain",
  firstStepsPerSecond: "plain",
  from: "plain",
  packets: "plain",
  gate: "plain",
  afterSeconds: "plain",
  isOpen: "plain",
};

/** Lists what is secret, in the order in which it stands there. */
export function listSecrets(of: Readonly<Record<string, Secrecy>>): string[] {
  return Object.entries(of).flatMap(([name, secrecy]) => (secrecy === "secret" ? [name] : []));
}

/** Of all names: where a package in another language offers a property of such a name, it is secret. */
export const secretNames: readonly string[] = [
  rulesetSecrecy,
  waveSecrecy,
  componentSecrecy,
  fieldSecrecy,
].flatMap(listSecrets);
