import { KnockgateError } from "../../errors.js";
import { listHops, type ResolvedConnection, type ResolvedLogin } from "../resolve.js";
import { makeSemaphore, type Semaphore } from "../semaphore.js";

/**
 * sshd starts to refuse new connections when 10 of them have not logged in yet (MaxStartups 10:30:100, the default in
 * sshd_config(5)). MaxSessions limits the sessions of one connection, and our connections to a bastion have one session
 * each. An operation has at most one connection to a bastion that is still logging in. So 8 operations leave room for
 * two people.
 */
const usualLimit = 8;

/** By host and port, whoever logs in: each sshd counts its own connections. */
const turnsByServer = new Map<string, Semaphore>();

/** How one operation reaches the host, and the machine that it tries the host's gates from. */
export interface Connecting {
  readonly connection: ResolvedConnection;
  readonly proveFrom?: ResolvedConnection | undefined;
}

/**
 * Waits for every machine that many hosts may share (a bastion, a machine to prove from), then acts. The wait ends when
 * fewer operations of this process use the machine than its limit allows. An operation waits for each machine once, and
 * before it sends anything: no time limit runs meanwhile, and no host is armed. All operations wait in the same order,
 * so that two never wait for each other.
 *
 * The limit is 8, or the environment's KNOCKGATE_BASTION_LIMIT.
 *
 * @param log is told of each wait that begins
 * @throws KnockgateError `ARGUMENTS_INVALID` when KNOCKGATE_BASTION_LIMIT is not a whole number above 0; and what `act`
 *   throws
 */
export async function takeBastionTurns<T>(
  ways: Connecting,
  act: () => Promise<T>,
  log: (line: string) => void = () => undefined,
): Promise<T> {
  const servers = [...new Set(listShared(ways).map(nameServer))].sort();
  const ends: (() => void)[] = [];
  try {
    for (const server of servers) ends.push(await findTurns(server).acquire(() => log(describeWait(server))));
    return await act();
  } finally {
    for (const end of ends) end();
  }
}

/** The message gives no time limit: how long the others take is not known. */
function describeWait(server: string): string {
  const place = server.replace(" ", ":");
  return `waits for its turn at ${place}: this process already runs as many operations there as KNOCKGATE_BASTION_LIMIT allows, and the next one starts when one of them ends`;
}

function listShared({ connection, proveFrom }: Connecting): readonly ResolvedLogin[] {
  const others = proveFrom === undefined ? [] : [proveFrom, ...listHops(proveFrom)];
  return [...listHops(connection), ...others];
}

function nameServer({ host, port }: ResolvedLogin): string {
  return `${host.toLowerCase()} ${port}`;
}

function findTurns(server: string): Semaphore {
  const semaphore =
    turnsByServer.get(server) ?? makeSemaphore(readLimit(process.env["KNOCKGATE_BASTION_LIMIT"]));
  turnsByServer.set(server, semaphore);
  return semaphore;
}

function readLimit(text: string | undefined): number {
  if (text === undefined || text === "") return usualLimit;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new KnockgateError(
    "ARGUMENTS_INVALID",
    "KNOCKGATE_BASTION_LIMIT in the environment is not a whole number above 0.",
  );
}
