import { isTokenGate, type TokenGate } from "./knock.js";
import type { Policy } from "./policy.js";

/** Somebody with a key of their own. */
export interface User {
  readonly name: string;
  /** Secret. 32 to 64 of the characters A-Z, a-z, 0-9, `-` and `_`. */
  readonly key: string;
  /** The gates that the user's tokens open. `undefined`: all gates that tokens open. */
  readonly gates?: readonly string[] | undefined;
  /** Sources from which the user's tokens count: addresses, or prefixes in CIDR notation. `undefined`: any. */
  readonly from?: readonly string[] | undefined;
}

/** Lists the gates that tokens open. */
export function listTokenGates({ gates }: Pick<Policy, "gates">): readonly TokenGate[] {
  return gates.filter(isTokenGate);
}

/** Lists the users whose tokens open a gate, in the policy's order. */
export function listUsersOf({ users }: Pick<Policy, "users">, gate: string): readonly User[] {
  return users.filter((user) => user.gates === undefined || user.gates.includes(gate));
}

/** The user as whom the deployer passes: the one that `deployAs` names, else the first whose tokens open the gate. */
export function findDeployUser(policy: Pick<Policy, "users" | "deployAs">, gate: string): User | undefined {
  const users = listUsersOf(policy, gate);
  return users.find(({ name }) => name === policy.deployAs) ?? users[0];
}
