import { KnockgateError } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import { redactPorts } from "../render/redact.js";
import type { CommandResult, HostConnection } from "../transport/host.js";
import { quoteWord } from "../transport/shell.js";
import { notConfirmed } from "./proof.js";

/** A command that tells by its exit code whether a host is well. */
export interface HealthCheck {
  /** For POSIX sh, run as root. */
  readonly command: string;
  readonly timeoutSeconds: number;
}

/**
 * Asks a host that has the new ruleset loaded whether it is well, over the connection that came through it.
 *
 * @throws KnockgateError `NOT_CONFIRMED` when it is not, or when it does not say so in time.
 */
export async function checkHealth(
  connection: HostConnection,
  { policy, health }: { readonly policy: Policy; readonly health?: HealthCheck | undefined },
  log: (line: string) => void,
): Promise<void> {
  if (health === undefined) return;
  // By eval, so that one that is no whole command fails, and does not wait for more.
  const program = { commands: `eval ${quoteWord(health.command)}\n` };
  const result = await connection.run(program, health.timeoutSeconds * 1_000).catch((cause: unknown) => {
    const why = cause instanceof KnockgateError ? cause.summary : String(cause);
    throw notConfirmed(`the health command did not end: ${redactPorts(why, policy)}`, cause);
  });
  if (result.code !== 0) throw notConfirmed(`the health command ended with ${describe(result, policy)}`);
  log("healthy: the health command ended with exit code 0");
}

/** The last line that a command wrote says best why it failed. */
function describe({ code, stdout, stderr }: CommandResult, policy: Policy): string {
  const said = (stderr.trim() || stdout.trim()).split("\n").at(-1) ?? "";
  return `exit code ${code}${said === "" ? "" : `: ${redactPorts(said, policy).slice(0, 200)}`}`;
}
