import { KnockgateError } from "../errors.js";
import type { Connection, Login } from "./connection.js";
import { readJump } from "./openssh/jump.js";
import { readSettings, type SshSettings } from "./openssh/settings.js";

/** A login whose port and user are known, and the way to its machine. */
export interface ResolvedLogin extends Login {
  readonly port: number;
  readonly user: string;
  /** What ssh_config(5) says of the host, where ssh(1) dials it. */
  readonly settings?: SshSettings | undefined;
  /** The machine that it is dialled from. Default: this machine. */
  readonly proxy?: ResolvedLogin | undefined;
}

/** A connection whose logins are all resolved. */
export interface ResolvedConnection extends ResolvedLogin {
  readonly transport: Connection["transport"];
  readonly sudoPassword?: string | undefined;
}

/** More machines in a row than anybody has: ssh_config may lead in a circle. */
const mostHops = 8;

/**
 * Completes a connection: with defaults, or with what ssh(1) says of its host and of the machines before it.
 *
 * @param field the connection's name in the arguments, for messages
 * @throws KnockgateError `ARGUMENTS_INVALID` when ssh can't read its configuration, `HOST_UNFIT` when there is no
 *   fitting ssh
 */
export async function resolveConnection(connection: Connection, field: string): Promise<ResolvedConnection> {
  if (connection.transport === "ssh2") return fillConnection(connection);
  const { proxy, ...own } = connection;
  const settings = await readSettings(own, field);
  const before =
    proxy === undefined
      ? await resolveJumps(settings.jumps, own, field, mostHops)
      : await resolveLogin(proxy, `${field}.proxy`, mostHops);
  return { ...complete(own, settings), ...(before === undefined ? {} : { proxy: before }) };
}

/** Completes a connection of the transport `ssh2` with the defaults of @pulumi/command. */
export function fillConnection({ proxy, ...own }: Connection): ResolvedConnection {
  return { ...fillDefaults(own), ...(proxy === undefined ? {} : { proxy: fillDefaults(proxy) }) };
}

/** Fills in the defaults that do not depend on ssh_config. */
export function fillWhatIsKnown(connection: Connection): Connection {
  return connection.transport === "ssh2" ? fillConnection(connection) : connection;
}

/** Lists the machines on the way, the last one first. */
export function listHops({ proxy }: ResolvedLogin): readonly ResolvedLogin[] {
  return proxy === undefined ? [] : [proxy, ...listHops(proxy)];
}

/** The fields always come in one order, whatever was given. */
function fillDefaults<L extends Login>({ host, port = 22, user = "root", ...others }: L) {
  return { host, port, user, ...others };
}

function complete<L extends Login>(login: L, settings: SshSettings): L & ResolvedLogin {
  return { ...login, port: settings.port, user: settings.user, settings };
}

async function resolveLogin(login: Login, field: string, hopsLeft: number): Promise<ResolvedLogin> {
  const settings = await readSettings(login, field);
  const proxy = await resolveJumps(settings.jumps, login, field, hopsLeft);
  return { ...complete(login, settings), ...(proxy === undefined ? {} : { proxy }) };
}

/**
 * Resolves the machines of ProxyJump, as ssh does: what ssh_config says of them counts, but only the first one's own
 * ProxyJump.
 */
async function resolveJumps(
  jumps: readonly string[],
  { dialErrorLimit, perDialTimeout }: Pick<Login, "dialErrorLimit" | "perDialTimeout">,
  field: string,
  hopsLeft: number,
): Promise<ResolvedLogin | undefined> {
  const [last, ...before] = [...jumps].reverse();
  if (last === undefined) return undefined;
  const place = `ProxyJump ${last} of ${field}`;
  if (hopsLeft === 0) {
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      `${place}: ssh_config(5) leads through more than ${mostHops} machines, or in a circle. Nothing was sent.`,
    );
  }
  const login = { ...readJump(last), ignoreHostKey: false, dialErrorLimit, perDialTimeout };
  if (before.length === 0) return resolveLogin(login, place, hopsLeft - 1);
  const settings = await readSettings(login, place);
  const proxy = await resolveJumps([...before].reverse(), login, field, hopsLeft - 1);
  return { ...complete(login, settings), ...(proxy === undefined ? {} : { proxy }) };
}
