import type { PolicyInput } from "../policy/policy.js";
import type { ConnectionInput } from "../ssh/connection.js";
import type { WaveInputs, WaveState } from "./fleet/wave-state.js";
import type { RulesetState } from "./ruleset/state.js";
import type { StoredInputName, StoredStateName } from "./ruleset/stored-names.js";

// Only this module says what is secret. The resources' `additionalSecretOutputs`, the plugin's marks and the schema for
// other languages are made from it. A new property does not compile until it has an entry here. This module imports
// only types, so that a program that declares a gate does not load the schemas.

/** `secret`: hidden in state, previews and logs, whether the program marked it or not. */
type Secrecy = "secret" | "plain";

export type SecrecyOf<Name extends string> = Readonly<Record<Name, Secrecy>>;

/** For the properties of `Ruleset`, which changes a host. */
export const rulesetSecrecy: SecrecyOf<keyof RulesetState> = {
  connection: "secret",
  policy: "secret",
  proveFrom: "secret",
  behind: "secret",
  hopProfiles: "secret",
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

/** For the properties that the engine stores of a `Ruleset`: all that is secret stands in one of them. */
export const storedSecrecy: SecrecyOf<StoredInputName | StoredStateName> = {
  undoAfterSeconds: "plain",
  adopt: "plain",
  deleteUnreachable: "plain",
  health: "plain",
  ruleset: "plain",
  drift: "plain",
  reachedBy: "plain",
  counters: "plain",
  failure: "plain",
  lastChange: "plain",
  sealed: "secret",
};

/** For the properties of `Wave`, which ends a wave. */
export const waveSecrecy: SecrecyOf<keyof WaveInputs | keyof WaveState> = {
  fleet: "plain",
  wave: "plain",
  of: "plain",
  maxFailures: "plain",
  pauseSeconds: "plain",
  onFailure: "plain",
  hosts: "plain",
  rulesets: "secret",
  given: "plain",
  summary: "plain",
  undone: "plain",
};

/** For the outputs of the components and of a fleet's hosts. A type test holds the names against the components. */
export const componentSecrecy = {
  ruleset: "plain",
  digest: "secret",
  knock: "secret",
  sshConfig: "secret",
  profile: "secret",
  profiles: "secret",
  counters: "plain",
  summary: "plain",
} as const satisfies Readonly<Record<string, Secrecy>>;

type FieldName<T> = T extends readonly (infer Item)[]
  ? FieldName<Item>
  : T extends object
    ? { [Name in keyof T & string]-?: Name | FieldName<NonNullable<T[Name]>> }[keyof T & string]
    : never;

/**
 * For the fields of connections and policies, at any depth. Our own resources mark the whole connection and policy.
 * Packages for other languages mark these fields, too, and a preview shows a login's plain fields.
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
  transport: "plain",
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
  singleConnection: "plain",
  token: "plain",
  icmpEcho: "plain",
  users: "plain",
  key: "secret",
  deployAs: "plain",
  tokens: "plain",
  slotSeconds: "plain",
  horizonDays: "plain",
  graceSeconds: "plain",
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
  slot: "plain",
  again: "plain",
  close: "plain",
  gate: "plain",
  afterSeconds: "plain",
  isOpen: "plain",
};

/** The field names of connections and policies. Any other name may be a secret in the wrong place. */
export const fieldNames: ReadonlySet<string> = new Set(Object.keys(fieldSecrecy));

/** Lists the secret names, in the order of the table. */
export function listSecrets(of: Readonly<Record<string, Secrecy>>): string[] {
  return Object.entries(of).flatMap(([name, secrecy]) => (secrecy === "secret" ? [name] : []));
}

/** All secret names. In packages for other languages, every property with such a name is secret. */
export const secretNames: readonly string[] = [
  rulesetSecrecy,
  storedSecrecy,
  waveSecrecy,
  componentSecrecy,
  fieldSecrecy,
].flatMap(listSecrets);
