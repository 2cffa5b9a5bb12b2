import { KnockgateError } from "../errors.js";
import type { KnockStep } from "../knock/packet.js";
import { readCredentials } from "./client.js";
import type { Connection } from "./connection.js";
import { listCutOff } from "./cut-off.js";
import { nameLogin, tryEach } from "./dial.js";
import type { Prober, RemoteProber } from "./host.js";
import { beginPatiently, dialThrough, findBastion, makeDialledOutpost } from "./jump-host/dial-through.js";
import { isUsable, type JumpHost, makeJumpHost } from "./jump-host/jump-host.js";

/**
 * Logs in to another machine that then sends packets to a host. The machine needs perl, and no root. If it has a
 * `proxy`, that is only the way to it: the packets leave from the machine itself.
 *
 * @param from the other machine
 * @param host the host's address, or its name as that machine resolves it
 * @param steps all steps that may have to be sent from there: a machine that can't send them fails now
 * @param field the name of `from` in the arguments, for messages
 * @param log is told of each failed dial to it that is tried again
 * @throws KnockgateError `HOST_UNFIT`, `UNREACHABLE`, `LOGIN_REFUSED`, `HOST_KEY_UNKNOWN`, `HOST_KEY_MISMATCH`,
 *   `ARGUMENTS_INVALID`
 */
export async function findProber(
  from: Connection,
  host: string,
  steps: readonly KnockStep[],
  field: string,
  log?: (line: string) => void,
): Promise<RemoteProber> {
  const jumpHost = await findOutpost(from, field, log);
  try {
    const found = await jumpHost.survey(host, steps);
    const look = (address: string): Pick<Prober, "name" | "target" | "knock" | "probePort"> => ({
      name: jumpHost.name,
      target: address,
      knock: (knock) => jumpHost.knock(address, knock),
      probePort: (port, timeoutMs) => jumpHost.probePort(address, port, timeoutMs),
    });
    // The resolver's first choice: a client on that machine would use it.
    const [first, ...others] = found.filter(isUsable);
    if (first === undefined) throw new KnockgateError("UNREACHABLE", `${host}: its name has no address`);
    return {
      ...look(first.address),
      address: first.source,
      others: others.map(({ address, source }) => ({ ...look(address), address: source })),
      cutOff: listCutOff(jumpHost.name, found),
      close: () => jumpHost.close(),
    };
  } catch (cause) {
    jumpHost.close();
    throw cause;
  }
}

async function findOutpost(from: Connection, field: string, log?: (line: string) => void): Promise<JumpHost> {
  const credentials = await readCredentials(from, field);
  if (from.proxy === undefined) return makeDialledOutpost(nameLogin(from), credentials, log);
  const bastion = await findBastion(from.proxy, `${field}.proxy`, log);
  const dial = async () =>
    tryEach((await bastion.survey(from.host, [])).filter(isUsable), ({ address }) =>
      dialThrough(bastion, credentials, address, from.perDialTimeout * 1_000),
    );
  const jumpHost = makeJumpHost(
    `${nameLogin(from)} through ${bastion.name}`,
    beginPatiently(from, dial, log),
  );
  return {
    ...jumpHost,
    close: () => {
      jumpHost.close();
      bastion.close();
    },
  };
}
