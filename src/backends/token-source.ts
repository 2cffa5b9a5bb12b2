import type { Policy } from "../policy/policy.js";
import { backendOf } from "./backends.js";
import { lowerForBackend } from "./render.js";

/**
 * Writes what a host makes a policy's tokens from. Secret: it has the users' keys. `undefined`: no gate is opened by
 * tokens.
 *
 * @param host the host's name for tokens
 */
export function writeTokenSource(policy: Policy, host: string): string | undefined {
  return backendOf(policy).writeTokenSource(lowerForBackend(policy), host, policy.tokens);
}
