import type { KnockStep } from "../../knock/packet.js";
import { sendKnock } from "../../knock/send-knock.js";
import type { SshClient } from "../client.js";
import { nameLogin } from "../name-login.js";
import type { ResolvedLogin } from "../resolve.js";
import { retry, startClock } from "../retry.js";
import type { Dialer, SshTransport } from "../transport.js";
import { dialInRound, type HopKnocker, limitRoundMs } from "./hop-knocker.js";
import { isUsable, type JumpHost, makeJumpHost } from "./jump-host.js";

/** What accompanies the dials to machines on the way. */
export interface HopDialing {
  /** Is told of each failed dial that is tried again. */
  readonly log?: ((line: string) => void) | undefined;
  /** Finds what opens a machine's SSH port; nothing where no gate is known. */
  readonly openHop?: ((login: ResolvedLogin) => HopKnocker | undefined) | undefined;
}

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
  { role, field, ...dialing }: HopDialing & { readonly role: string; readonly field: string },
): Promise<JumpHost<C>> {
  const dialer = await transport(login, field);
  const name = `${role}${nameLogin(login)}`;
  const timeoutMs = login.perDialTimeout * 1_000;
  const knocker = dialing.openHop?.(login);
  const beginning = { login, roundMs: limitRoundMs(knocker, timeoutMs), log: dialing.log };
  if (login.proxy === undefined) {
    const dial = () =>
      dialInRound(knocker, timeoutMs, async (packets, limitMs) => {
        await knockFromHere(dialer, packets);
        return dialer.dialHost(name, limitMs);
      });
    return makeJumpHost(name, beginPatiently(beginning, dial));
  }
  const naming = { role: "bastion ", field: `${field}.proxy` };
  const before = await findJumpHost(transport, login.proxy, { ...naming, ...dialing });
  const host = login.settings?.hostName ?? login.host;
  const dial = () =>
    dialInRound(knocker, timeoutMs, async (packets, limitMs) => {
      return dialThrough(before, dialer, await knockFrom(before, host, packets), limitMs);
    });
  const jumpHost = makeJumpHost(`${name} through ${before.name}`, beginPatiently(beginning, dial));
  return {
    ...jumpHost,
    close: () => {
      jumpHost.close();
      before.close();
    },
  };
}

async function knockFromHere<C extends SshClient>(
  dialer: Dialer<C>,
  packets: readonly KnockStep[],
): Promise<void> {
  if (packets.length === 0) return;
  const { addresses } = await dialer.findAddresses();
  await Promise.all(addresses.map((address) => sendKnock(address, packets)));
}

/** Returns what to dial: the address that was knocked at, or the host's name. */
async function knockFrom(before: JumpHost, host: string, packets: readonly KnockStep[]): Promise<string> {
  if (packets.length === 0) return host;
  const [target] = (await before.survey(host, packets)).filter(isUsable);
  if (target === undefined) return host;
  await before.knock(target.address, packets);
  return target.address;
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
  {
    login,
    roundMs,
    log,
  }: Pick<HopDialing, "log"> & { readonly login: ResolvedLogin; readonly roundMs: number },
  dial: () => Promise<C>,
): () => Promise<C> {
  let errorLimit = login.dialErrorLimit;
  return async () => {
    const client = await retry({ errorLimit, tryMs: roundMs, log }, dial);
    errorLimit = 0;
    return client;
  };
}
