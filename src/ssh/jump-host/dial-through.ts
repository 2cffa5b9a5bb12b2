import type { SshClient } from "../client.js";
import { nameLogin } from "../name-login.js";
import type { ResolvedLogin } from "../resolve.js";
import { retry, startClock } from "../retry.js";
import type { Dialer, SshTransport } from "../transport.js";
import { type JumpHost, makeJumpHost } from "./jump-host.js";

/** Is told of each failed dial that is tried again. */
export type DialLog = (line: string) => void;

/**
 * Makes a jump host of a machine, which is dialled through the machines before it. Reads the logins' keys, and dials
 * nothing yet.
 *
 * @param role begins its name in messages, with a space behind it; or empty
 * @param field the login's name in the arguments, for messages
 */
export async function findJumpHost<C extends SshClient>(
  transport: SshTransport<C>,
  login: ResolvedLogin,
  { role, field, log }: { readonly role: string; readonly field: string; readonly log?: DialLog | undefined },
): Promise<JumpHost<C>> {
  const dialer = await transport(login, field);
  const name = `${role}${nameLogin(login)}`;
  const timeoutMs = login.perDialTimeout * 1_000;
  if (login.proxy === undefined)
    return makeJumpHost(
      name,
      beginPatiently(login, () => dialer.dialHost(name, timeoutMs), log),
    );
  const before = await findJumpHost(transport, login.proxy, {
    role: "bastion ",
    field: `${field}.proxy`,
    log,
  });
  const dial = () => dialThrough(before, dialer, login.settings?.hostName ?? login.host, timeoutMs);
  const jumpHost = makeJumpHost(`${name} through ${before.name}`, beginPatiently(login, dial, log));
  return {
    ...jumpHost,
    close: () => {
      jumpHost.close();
      before.close();
    },
  };
}

/** Opens a fresh SSH connection from a bastion to one address. */
export async function dialThrough<C extends SshClient>(
  bastion: JumpHost<C>,
  dialer: Dialer<C>,
  address: string,
  timeoutMs: number,
): Promise<C> {
  const leftMs = startClock(timeoutMs);
  const carrier = await bastion.take();
  const name = `${nameLogin(dialer.login, address)} through ${bastion.name}`;
  try {
    const client = await dialer.dialThrough(carrier, address, name, leftMs());
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
function beginPatiently<C extends SshClient>(
  login: ResolvedLogin,
  dial: () => Promise<C>,
  log?: DialLog,
): () => Promise<C> {
  let errorLimit = login.dialErrorLimit;
  return async () => {
    const client = await retry({ errorLimit, tryMs: login.perDialTimeout * 1_000, log }, dial);
    errorLimit = 0;
    return client;
  };
}
