import { redactPorts } from "../backends/redact.js";
import { KnockgateError } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import type { CommandResult, HostConnection } from "../ssh/host.js";
import { quoteWord } from "../ssh/quote-shell.js";
import { notConfirmed } from "./prove/proof.js";

/** A command whose exit code says whether a host is healthy. */
export interface HealthCheck {
  /** A command line for POSIX sh, run as root. */
  readonly command: string;
  readonly timeoutSeconds: number;
}

/**
 * Runs the health command on a host that has loaded the new ruleset, over the connection that came through it.
 *
 * @throws KnockgateError `NOT_CONFIRMED` when the command fails, or does not end in time
 */
export async function checkHealth(
  connection: HostConnection,
  { policy, health }: { readonly policy: Policy; readonly health?: HealthCheck | undefined },
  log: (line: string) => void,
): Promise<void> {
  if (health === undefined) return;
  // With eval, an incomplete command is an error. Otherwise the shell would wait for the rest of it.
  const program = { commands: `eval ${quoteWord(health.command)}\n` };
  const result = await connection.run(program, health.timeoutSeconds * 1_000).catch((cause: unknown) => {
    const why = cause instanceof KnockgateError ? cause.summary : String(cause);
    throw notConfirmed(`the health command did not end: ${redactPorts(why, policy)}`, cause);
  });
  if (result.code !== 0) throw notConfirmed(`the health command ended with ${describe(result, policy)}`);
  log("healthy: the health command ended with exit code 0");
}

/** Quotes the command's last line, which best says why it failed. */
function describe({ code, stdout, stderr }: CommandResult, policy: Policy): string {
  const said = (stderr.trim() || stdout.trim()).split("\n").at(-1) ?? "";
  return `exit code ${code}${said === "" ? "" : `: ${redactPorts(said, policy).slice(0, 200)}`}`;
}
