import { type Credentials, openSsh, readCredentials, type SshClient } from "../client.js";
import type { Login } from "../connection.js";
import { dialSsh, findAddresses, nameLogin, tryEach } from "../dial.js";
import { retry, startClock } from "../retry.js";
import { type JumpHost, makeJumpHost } from "./jump-host.js";

/** Is told of each failed dial that is tried again. */
type DialLog = (line: string) => void;

/** Makes a jump host of a bastion. Reads the login's keys, and dials nothing yet. */
export async function findBastion(proxy: Login, field: string, log?: DialLog): Promise<JumpHost> {
  return makeDialledOutpost(`bastion ${nameLogin(proxy)}`, await readCredentials(proxy, field), log);
}

/** Makes a jump host of a machine that this machine dials. */
export function makeDialledOutpost(name: string, credentials: Credentials, log?: DialLog): JumpHost {
  const { login } = credentials;
  const dial = async (): Promise<SshClient> =>
    tryEach(await findAddresses(login.host), (address) => {
      const place = address === login.host ? name : `${name} (${address})`;
      return dialSsh(credentials, address, place, login.perDialTimeout * 1_000);
    });
  return makeJumpHost(name, beginPatiently(login, dial, log));
}

/** Opens a fresh SSH connection from a bastion to one address. */
export async function dialThrough(
  bastion: JumpHost,
  credentials: Credentials,
  address: string,
  timeoutMs: number,
): Promise<SshClient> {
  const leftMs = startClock(timeoutMs);
  const { stream, carrier } = await bastion.forward(address, credentials.login.port, timeoutMs);
  const name = `${nameLogin(credentials.login, address)} through ${bastion.name}`;
  try {
    const client = await openSsh(credentials, stream, name, leftMs());
    client.onClose(() => carrier.close());
    return client;
  } catch (cause) {
    carrier.close();
    throw cause;
  }
}

/**
 * The first dial is repeated as often as the login allows. Later dials are made once: their callers try again
 * themselves.
 */
export function beginPatiently(
  login: Login,
  dial: () => Promise<SshClient>,
  log?: DialLog,
): () => Promise<SshClient> {
  let errorLimit = login.dialErrorLimit;
  return async () => {
    const client = await retry({ errorLimit, tryMs: login.perDialTimeout * 1_000, log }, dial);
    errorLimit = 0;
    return client;
  };
}
