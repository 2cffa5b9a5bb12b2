import { probePort } from "../../knock/send-knock.js";
import { isSshPort, type Target } from "./target.js";

/** What asking a port told: `undefined` when nothing came back, `unasked` when there is no port to ask. */
type TargetAnswer = "open" | "refused" | "unasked" | undefined;

/**
 * Makes the function that asks the port behind a gate.
 *
 * @param waitsForBanner whether an SSH server's banner is awaited, too
 */
export function askTarget(
  target: Pick<Target, "way" | "gate" | "port">,
  waitsForBanner = false,
): (address: string, timeoutMs: number) => Promise<TargetAnswer> {
  const { port } = target;
  return async (address, timeoutMs) => {
    if (port === undefined) return "unasked";
    if (isSshPort(target) || waitsForBanner) {
      // Loaded only here: loading child_process takes longer than a knock.
      const { askSsh } = await import("./ask-ssh.js");
      return askSsh(address, port, timeoutMs, waitsForBanner);
    }
    const answer = await probePort(address, port, timeoutMs);
    return answer === "silent" ? undefined : answer;
  };
}
