import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { tellLost, unreachableError, withDeadline } from "../deadline.js";
import type { SshLink } from "../link.js";
import { refuseForward } from "../refusals.js";

/** Reason codes of SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254, 5.1). */
const openFailure = { prohibited: 1, unknownType: 3 } as const;

/**
 * Opens a TCP connection from the other side.
 *
 * @throws KnockgateError `HOST_UNFIT` when the other side forbids it, else `UNREACHABLE`
 */
export async function openForward(
  client: Client,
  link: SshLink,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<Duplex> {
  const { name } = link;
  const target = `${address} port ${port}`;
  const lost = () => tellLost(link, `before it reached ${target}`);
  const late = () =>
    unreachableError(name, `${target} did not answer it within ${Math.ceil(timeoutMs / 1_000)} s`);
  return withDeadline<Duplex>(link, { timeoutMs, lost, late }, ({ resolve, reject, onLate }) => {
    try {
      client.forwardOut("127.0.0.1", 0, address, port, (error, stream) => {
        if (error === undefined) {
          onLate(() => stream.close());
          return resolve(stream);
        }
        const reason = (error as Error & { reason?: number }).reason;
        if (reason !== openFailure.prohibited && reason !== openFailure.unknownType) {
          const why = error.message.replace(/^.*Channel open failure: */, "");
          return reject(unreachableError(name, `it could not connect to ${target}: ${why}`, error));
        }
        reject(refuseForward(name, target, error));
      });
    } catch {
      // ssh2 throws when the connection is closed already.
      reject(lost());
    }
  });
}
