import { checkGate, makeFindPort } from "../policy/checked-gate.js";
import type { Finding } from "../policy/finding.js";
import { listField, readField } from "../policy/raw.js";
import { nameSchema } from "../policy/schema.js";
import { isTokenHost } from "../policy/token.js";
import { connectionSchema } from "../ssh/connection.js";

/**
 * Finds what is wrong between a policy and the connection to its host, before anything is sent. Takes both before they
 * are parsed, because parts of them may be wrong or not known yet.
 */
export function crossCheckConnection(policy: unknown, connection: unknown): readonly Finding[] {
  return [...findWrongHost(policy, connection), ...findBarredDeployer(policy, connection)];
}

/** Each token is bound to the host's name. */
function findWrongHost(policy: unknown, connection: unknown): readonly Finding[] {
  const host = connectionSchema.shape.host.safeParse(readField(connection, "host"));
  const hasTokens = listField(policy, "gates").some(isOpenedByToken);
  if (!hasTokens || !host.success || isTokenHost(host.data)) return [];
  return [
    {
      path: "connection.host",
      rule: "token-host",
      message: "has a character that the name of a host with tokens can't have.",
      fix: "Use letters of ASCII, digits and . _ - : %. Give the address, or the name as DNS has it (xn--).",
    },
  ];
}

/**
 * The user that `deployAs` names has to open the gate of the SSH port. A deployer that is in `allowFrom` needs no token
 * there; its address is known only at the change. So is a port that ssh_config says.
 */
function findBarredDeployer(policy: unknown, connection: unknown): readonly Finding[] {
  const isAsSshSays = readField(connection, "transport") === "openssh";
  const port = connectionSchema.shape.port.safeParse(
    readField(connection, "port") ?? (isAsSshSays ? undefined : 22),
  );
  const allowFrom = readField(policy, "allowFrom") ?? [];
  if (port.data === undefined || !Array.isArray(allowFrom) || allowFrom.length > 0) return [];
  const gates = listField(policy, "gates");
  const index = makeFindPort(gates.map(checkGate))("tcp", port.data)?.gate ?? -1;
  const gate = gates[index];
  const deployer = readField(policy, "deployAs");
  const user = listField(policy, "users").find((one) => readField(one, "name") === deployer);
  if (deployer === undefined || user === undefined || !isOpenedByToken(gate)) return [];
  const opened = nameSchema.array().safeParse(readField(user, "gates"));
  const name = nameSchema.safeParse(readField(gate, "name"));
  if (!opened.success || !name.success || opened.data.includes(name.data)) return [];
  return [
    {
      path: "policy.deployAs",
      rule: "deploy-as-without-ssh",
      message: `names a user whose tokens do not open gate "${name.data}", which protects the SSH port.`,
      fix: "Add the gate to that user's gates, or name a user who opens it.",
    },
  ];
}

function isOpenedByToken(gate: unknown): boolean {
  return readField(readField(gate, "knock"), "token") !== undefined;
}
