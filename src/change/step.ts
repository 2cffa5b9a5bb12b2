import { redactPorts } from "../backends/redact.js";
import { type ErrorCode, KnockgateError } from "../errors.js";
import { parseReply, type Reply, scriptExitCodes } from "../host/script/program.js";
import type { Policy } from "../policy/policy.js";
import type { CommandResult, HostConnection, Program } from "../ssh/host.js";

/** The steps of a change, as its log and its errors name them. */
export type ChangeStep = "1/6 connect" | "2/6 stage" | "3/6 arm" | "4/6 load" | "5/6 prove" | "6/6 confirm";

/**
 * Runs a program of the host script.
 *
 * @throws KnockgateError when the program failed: `CHANGE_PENDING` or `STAGE_FAILED` where its exit code says so, else
 *   `HOST_FAILED`
 */
export async function runStep(
  connection: HostConnection,
  program: Program,
  policy: Policy,
  limitMs: number,
): Promise<Reply> {
  const result = await connection.run(program, limitMs);
  return isDone(result) ? parseReply(result.stdout) : failStep(result, policy);
}

export function isDone(result: CommandResult): boolean {
  return result.code === 0 && parseReply(result.stdout).values.size > 0;
}

export function failStep({ code, stderr }: CommandResult, policy: Policy): never {
  throw new KnockgateError(nameFailure(code), redactPorts(summarize(stderr), policy) || `exit code ${code}`);
}

function nameFailure(code: number): ErrorCode {
  if (code === scriptExitCodes.pending) return "CHANGE_PENDING";
  return code === scriptExitCodes.refused ? "STAGE_FAILED" : "HOST_FAILED";
}

/** Keeps the first line of each error: below it, nft quotes the offending line and marks it with carets. */
function summarize(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !/^\s|^\^|^\t/.test(line));
  return lines.slice(0, 4).join("; ");
}
