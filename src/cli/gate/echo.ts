import { execFile } from "node:child_process";
import { KnockgateError, unreachable } from "../../errors.js";
import { runPerl } from "../../knock/local-perl.js";
import { askEcho } from "../../knock/packet-program.js";
import { checkEcho } from "../../knock/preflight.js";
import type { EchoStep, Sending } from "../../knock/send-knock.js";
import { writeTokenPayload } from "../../knock/token-payload.js";

/** Less than one second, after which ping(8) would send more. An answer ends ping at once. */
const pingTimeoutMs = 500;

/**
 * Finds out how this machine can send echo requests: with perl, which gets the size where nobody can list it, or, if
 * that is allowed, with ping(8).
 *
 * @throws KnockgateError `HOST_UNFIT` when it can't
 */
export async function chooseEcho(
  addresses: readonly string[],
  isPingAllowed: boolean,
): Promise<Pick<Sending, "sendEcho">> {
  try {
    const answers = await runPerl(askEcho).catch((cause: Error) => {
      const message = `this machine can't send ICMP echo requests, a step of the knock: ${cause.message} (in Debian: perl-base). Nothing was sent.`;
      throw new KnockgateError("HOST_UNFIT", message, { cause });
    });
    checkEcho("this machine", answers, addresses);
    return {};
  } catch (cause) {
    if (!(cause instanceof KnockgateError)) throw cause;
    if (isPingAllowed) return { sendEcho: sendEchoByPing };
    throw new KnockgateError(cause.code, `${cause.summary} Or add --ping.`, { cause });
  }
}

function sendEchoByPing(address: string, step: EchoStep): Promise<void> {
  const words = ["-q", "-n", "-c", "1", ...listPayloadOptions(step), address];
  return new Promise((resolve, reject) => {
    execFile("ping", words, { timeout: pingTimeoutMs }, (error) => {
      // Code 1: sent, and not answered (ping(8)). A signal: sent, and not answered yet.
      if (error === null || error.code === 1 || error.killed === true) return resolve();
      const why = error.code === "ENOENT" ? "ping is not installed" : "ping did not send it";
      // Node's message would quote the arguments.
      reject(new Error(why));
    });
  });
}

/** ping(8) repeats a pattern over the payload, behind the 16 bytes of its time. */
function listPayloadOptions(step: EchoStep): readonly string[] {
  switch (step.kind) {
    case "icmpEcho":
      return ["-s", `${step.payloadBytes}`];
    case "token":
      // Others can list the token while ping runs. By then it is on its way, and good for one packet only.
      return ["-s", `${writeTokenPayload(step).length}`, "-p", step.token];
    default:
      return unreachable(step);
  }
}
