import { isTokenGate, type TokenGate } from "./knock.js";
import type { Policy, User } from "./policy.js";

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
