import { KnockgateError } from "../errors.js";
import type { Connection, Login } from "./connection.js";
import { makeTurns, type Turns } from "./turns.js";

/**
 * sshd refuses new connections, some at first, once 10 are waiting to log in (MaxStartups 10:30:100, the default of
 * sshd_config(5)); MaxSessions counts within one connection, and ours have one session each. What uses a bastion has at
 * most one connection to it that is still logging in, so that eight leave two to people.
 */
const usualLimit = 8;

/** By the sshd that counts: one for each host and port, whoever logs in. */
const turnsByServer = new Map<string, Turns>();

/** The ways of one operation: to the host, and to the machine that its gates are tried from. */
export interface Ways {
  readonly connection: Connection;
  readonly proveFrom?: Connection | undefined;
}

/**
 * Waits until each machine that many hosts may share, a bastion or one to prove from, is used by fewer operations of this
 * process than it can take; then acts. Each machine is waited for once and before anything is sent, so no time limit
 * runs meanwhile and nobody waits while a host is armed; and in one order for all, so that no two operations ever wait
 * for each other.
 *
 * The limit is 8, or what the environment's KNOCKGATE_BASTION_LIMIT says.
 *
 * @param log is told of each wait that begins
 * @throws KnockgateError `ARGUMENTS_INVALID` when that is no number above 0; and what `act` throws
 */
export async function takeBastionTurns<T>(
  ways: Ways,
  act: () => Promise<T>,
  log: (line: string) => void = () => undefined,
): Promise<T> {
  const servers = [...new Set(listShared(ways).map(nameServer))].sort();
  const ends: (() => void)[] = [];
  try {
    for (const server of servers) ends.push(await findTurns(server).take(() => log(describeWait(server))));
    return await act();
  } finally {
    for (const end of ends) end();
  }
}

/** How long others take is not known. */
function describeWait(server: string): string {
  const place = server.replace(" ", ":");
  return `waits for its turn at ${place}, which as many operations of this process use as may at a time (KNOCKGATE_BASTION_LIMIT), until one of them ends`;
}

function listShared({ connection, proveFrom }: Ways): readonly Login[] {
  return [connection.proxy, proveFrom, proveFrom?.proxy].filter((login) => login !== undefined);
}

function nameServer({ host, port }: Login): string {
  return `${host.toLowerCase()} ${port}`;
}

function findTurns(server: string): Turns {
  const turns = turnsByServer.get(server) ?? makeTurns(readLimit(process.env["KNOCKGATE_BASTION_LIMIT"]));
  turnsByServer.set(server, turns);
  return turns;
}

function readLimit(text: string | undefined): number {
  if (text === undefined || text === "") return usualLimit;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new KnockgateError(
    "ARGUMENTS_INVALID",
    "KNOCKGATE_BASTION_LIMIT in the environment is not a whole number above 0.",
  );
}
