import { KnockgateError } from "../errors.js";
import type { PortAnswer } from "./host.js";

/**
 * Tells from a dial that failed what came back from the port. A login that was refused, or another host key, is an answer;
 * so is a refusal, which no closed gate gives.
 */
export function readAnswer(error: unknown): PortAnswer {
  if (!(error instanceof KnockgateError)) return "silent";
  if (error.code !== "UNREACHABLE") return "open";
  return isRefusal(error.cause) ? "refused" : "silent";
}

/** The kernel's own code, or what a bastion's sshd says of a forwarded connection. */
function isRefusal(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  return ("code" in cause && cause.code === "ECONNREFUSED") || /connection refused/i.test(cause.message);
}
