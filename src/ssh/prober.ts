import { KnockgateError } from "../errors.js";
import type { KnockStep } from "../knock/packet.js";
import { listCutOff } from "./cut-off.js";
import type { Prober, RemoteProber } from "./host.js";
import { findJumpHost, type HopDialing } from "./jump-host/dial-through.js";
import { isUsable, type JumpHost } from "./jump-host/jump-host.js";
import { openssh } from "./openssh/dial.js";
import type { ResolvedConnection } from "./resolve.js";
import { ssh2 } from "./ssh2/dial.js";

/**
 * Logs in to another machine that then sends packets to a host. The machine needs perl, and no root. If it has a
 * `proxy`, that is only the way to it: the packets leave from the machine itself.
 *
 * @param from the other machine
 * @param host the host's address, or its name as that machine resolves it
 * @param steps all steps that may have to be sent from there: a machine that can't send them fails now
 * @param field the name of `from` in the arguments, for messages
 * @param dialing what accompanies the dials to it, and to machines on the way
 * @throws KnockgateError `HOST_UNFIT`, `UNREACHABLE`, `LOGIN_REFUSED`, `HOST_KEY_UNKNOWN`, `HOST_KEY_MISMATCH`,
 *   `ARGUMENTS_INVALID`
 */
export async function findProber(
  from: ResolvedConnection,
  host: string,
  steps: readonly KnockStep[],
  field: string,
  dialing: HopDialing = {},
): Promise<RemoteProber> {
  const jumpHost = await findOutpost(from, field, dialing);
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

function findOutpost(from: ResolvedConnection, field: string, dialing: HopDialing): Promise<JumpHost> {
  const naming = { role: "", field, ...dialing };
  return from.transport === "openssh"
    ? findJumpHost(openssh, from, naming)
    : findJumpHost(ssh2, from, naming);
}
