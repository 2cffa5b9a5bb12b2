import { KnockgateError } from "../errors.js";
import type { PortAnswer } from "./packet.js";

/**
 * Reads from a failed dial what the port answered. A refused login or another host key means that the port is open. A
 * refused connection is an answer too, and a closed gate never gives it.
 */
export function readAnswer(error: unknown): PortAnswer {
  if (!(error instanceof KnockgateError)) return "silent";
  if (error.code !== "UNREACHABLE") return "open";
  return isRefusal(error.cause) ? "refused" : "silent";
}

/** Finds the kernel's error code, or what a bastion's sshd says about a forwarded connection. */
function isRefusal(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  return ("code" in cause && cause.code === "ECONNREFUSED") || /connection refused/i.test(cause.message);
}
