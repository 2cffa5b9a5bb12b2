import { KnockgateError } from "../errors.js";
import { runPerl } from "../knock/local-perl.js";
import type { KnockStep } from "../knock/packet.js";
import { askAlive, askEcho } from "../knock/packet-program.js";
import { checkEcho, needsEcho } from "../knock/preflight.js";
import { probePort, sendKnock } from "../knock/send-knock.js";
import { findSource } from "../knock/source.js";
import type { SshClient } from "./client.js";
import { listCutOff } from "./cut-off.js";
import type { CutOff, RouteSet } from "./host.js";
import { dialThrough, findJumpHost, type HopDialing } from "./jump-host/dial-through.js";
import { isUsable, type JumpHost } from "./jump-host/jump-host.js";
import { nameLogin } from "./name-login.js";
import { openssh } from "./openssh/dial.js";
import type { ResolvedConnection } from "./resolve.js";
import { becomeRoot } from "./root.js";
import { ssh2 } from "./ssh2/dial.js";
import type { Dialer, SshTransport } from "./transport.js";

/**
 * Finds the routes to a host: from this machine or, if the connection names one, from its bastion. With a bastion, name
 * resolution, knocks, probes and connections are all the bastion's. A knock opens a gate for one source address, so the
 * knock and the connection take the same way.
 *
 * @param steps all steps that may have to be sent: a machine that can't send them fails now, before anything is changed
 * @param dialing what accompanies the dials to machines on the way
 * @throws KnockgateError `HOST_UNFIT`, `UNREACHABLE`, `LOGIN_REFUSED`, `HOST_KEY_UNKNOWN`, `HOST_KEY_MISMATCH`,
 *   `ARGUMENTS_INVALID`
 */
export function findRoutes(
  connection: ResolvedConnection,
  steps: readonly KnockStep[],
  dialing: HopDialing = {},
): Promise<RouteSet> {
  return connection.transport === "openssh"
    ? findRoutesBy(openssh, connection, steps, dialing)
    : findRoutesBy(ssh2, connection, steps, dialing);
}

async function findRoutesBy<C extends SshClient>(
  transport: SshTransport<C>,
  connection: ResolvedConnection,
  steps: readonly KnockStep[],
  dialing: HopDialing,
): Promise<RouteSet> {
  const dialer = await transport(connection, "connection");
  if (connection.proxy === undefined) return findDirectRoutes(dialer, connection, steps);
  const naming = { role: "bastion ", field: "connection.proxy", ...dialing };
  const bastion = await findJumpHost(transport, connection.proxy, naming);
  return findRoutesThrough(bastion, dialer, connection, steps).catch((cause: unknown) => {
    bastion.close();
    throw cause;
  });
}

async function findDirectRoutes<C extends SshClient>(
  dialer: Dialer<C>,
  connection: ResolvedConnection,
  steps: readonly KnockStep[],
): Promise<RouteSet> {
  const found = await dialer.findAddresses();
  const { ways, cutOff } = await findWays(found.addresses);
  if (needsEcho(steps)) await checkEchoHere(ways.map(({ address }) => address));
  const routes = ways.map(({ address, source }) => {
    const host = { isTried: false };
    return {
      name: namePlace(connection, address),
      target: address,
      address: source,
      connect: async (timeoutMs: number) => {
        const client = await dialer.dial(address, nameLogin(connection, address), timeoutMs);
        return becomeRoot(client, findSudoPassword(connection), host);
      },
      knock: (knock: readonly KnockStep[]) => sendKnock(address, knock),
      probePort: (port: number, timeoutMs: number) => probePort(address, port, timeoutMs),
      ping: async (timeoutMs: number) =>
        (await runPerl(askAlive(address, timeoutMs))).includes("ping answered"),
    };
  });
  return { routes, cutOff: [...cutOff, ...found.cutOff], close: () => undefined };
}

interface FoundWays {
  readonly ways: readonly { readonly address: string; readonly source: string | undefined }[];
  readonly cutOff: readonly CutOff[];
}

/** Where no address has a route, all are tried all the same: the kernel's answer to that dial is the error. */
async function findWays(addresses: readonly string[]): Promise<FoundWays> {
  const [only, ...more] = addresses;
  if (only !== undefined && more.length === 0)
    return { ways: [{ address: only, source: undefined }], cutOff: [] };
  const found = await Promise.all(
    addresses.map(async (address) => ({ address, source: await findSource(address) })),
  );
  const ways = found.filter(({ source }) => source !== undefined);
  if (ways.length === 0) return { ways: found, cutOff: [] };
  return { ways, cutOff: listCutOff("this machine", found) };
}

async function checkEchoHere(addresses: readonly string[]): Promise<void> {
  const answers = await runPerl(askEcho).catch((cause: Error) => {
    const message = `this machine can't send ICMP echo requests, a step of the knock: ${cause.message} (in Debian: perl-base). Nothing was sent.`;
    throw new KnockgateError("HOST_UNFIT", message, { cause });
  });
  checkEcho("this machine", answers, addresses);
}

async function findRoutesThrough<C extends SshClient>(
  bastion: JumpHost<C>,
  dialer: Dialer<C>,
  connection: ResolvedConnection,
  steps: readonly KnockStep[],
): Promise<RouteSet> {
  const targets = await bastion.survey(connection.settings?.hostName ?? connection.host, steps);
  const routes = targets.filter(isUsable).map(({ address, source }) => {
    const host = { isTried: false };
    return {
      name: `${namePlace(connection, address)} through ${bastion.name}`,
      target: address,
      address: source,
      connect: async (timeoutMs: number) => {
        const client = await dialThrough(bastion, dialer, address, timeoutMs);
        return becomeRoot(client, findSudoPassword(connection), host);
      },
      knock: (knock: readonly KnockStep[]) => bastion.knock(address, knock),
      probePort: (port: number, timeoutMs: number) => bastion.probePort(address, port, timeoutMs),
      ping: (timeoutMs: number) => bastion.ping(address, timeoutMs),
    };
  });
  return { routes, cutOff: listCutOff(bastion.name, targets), close: () => bastion.close() };
}

function namePlace({ host, port }: ResolvedConnection, address: string): string {
  return address === host ? `${address}:${port}` : `${host}:${port} (${address})`;
}

function findSudoPassword({ sudoPassword, password }: ResolvedConnection): string | undefined {
  return sudoPassword ?? password;
}
