import type { CarrierInput } from "../../policy/carrier.js";
import { isTokenGate, writeKnock } from "../../policy/knock.js";
import type { Gate, Policy, TokenSettingsInput } from "../../policy/policy.js";
import type { StepInput } from "../../policy/step.js";
import { findDeployUser, listUsersOf } from "../../policy/user.js";
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

/**
 * What a client needs to know to open a gate: `steps` and `stepTimeoutSeconds`, or the fields from `token` on. It holds
 * the key of one user only.
 */
export interface ProfileGate {
  /** The gate's name. */
  readonly gate: string;
  /** The ports that it protects, as the policy has them. */
  readonly protect: Gate["protect"];
  /** How long after the knock new connections are accepted. */
  readonly openForSeconds: number;
  /** Whether each opening lets in one connection. Absent: it lets in any number. */
  readonly singleConnection?: boolean | undefined;
  /** The steps of its knock, in the order in which they are sent. Absent: a token opens the gate. */
  readonly steps?: readonly StepInput[] | undefined;
  /** Longest pause between two steps. */
  readonly stepTimeoutSeconds?: number | undefined;
  /** What carries a token. Absent: a sequence opens the gate. */
  readonly token?: CarrierInput | undefined;
  /** The user whose tokens are sent. */
  readonly user?: string | undefined;
  /** The key of that user. Secret. */
  readonly key?: string | undefined;
  /** The policy's name, which is a part of each token. */
  readonly policy?: string | undefined;
  /** The host's name in tokens: the text by which the deployer reaches the host. */
  readonly tokenHost?: string | undefined;
  /** How tokens come and go. */
  readonly tokens?: TokenSettingsInput | undefined;
}

/** What a profile is made from. */
export type ClientPolicy = Pick<Policy, "name" | "gates" | "users" | "deployAs" | "tokens">;

/**
 * Makes a host's profile. Its name is that of the host's block in ssh_config(5).
 *
 * @param user see {@link listGates}
 */
export function makeProfile(
  name: string,
  way: SshEndpoint,
  policy: ClientPolicy | undefined,
  user?: string,
): Profile {
  return { name: writeAlias(name), way, gates: listGates(way, policy, user) };
}

/**
 * Lists a policy's gates as the clients of one user need them. Gates that the user's tokens do not open are left out.
 *
 * @param user the user's name. Default: for each gate the user as whom the deployer passes
 */
export function listGates(
  way: Pick<SshEndpoint, "host">,
  policy: ClientPolicy | undefined,
  user?: string,
): readonly ProfileGate[] {
  return policy === undefined ? [] : policy.gates.flatMap((gate) => describeGate(gate, policy, way, user));
}

/** Describes one gate as a client needs it. Empty when the user's tokens do not open it. */
function describeGate(
  gate: Gate,
  policy: ClientPolicy,
  { host }: Pick<SshEndpoint, "host">,
  userName: string | undefined,
): readonly ProfileGate[] {
  const { name, protect, knock, openForSeconds, singleConnection } = gate;
  const { steps, stepTimeoutSeconds, token } = writeKnock(knock);
  const shared = {
    gate: name,
    protect,
    ...(singleConnection ? { singleConnection } : {}),
    openForSeconds,
  };
  if (!isTokenGate(gate)) return [{ ...shared, steps, stepTimeoutSeconds }];
  const user = findUser(policy, name, userName);
  if (user === undefined) return [];
  const tokens = policy.tokens;
  return [{ ...shared, token, user: user.name, key: user.key, policy: policy.name, tokenHost: host, tokens }];
}

function findUser(
  policy: ClientPolicy,
  gate: string,
  user: string | undefined,
): Policy["users"][number] | undefined {
  if (user === undefined) return findDeployUser(policy, gate);
  return listUsersOf(policy, gate).find(({ name }) => name === user);
}
