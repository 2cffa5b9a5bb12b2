import type { Policy } from "../policy/policy.js";
import type { Load, LoadedTable } from "./backend.js";
import { backendOf } from "./backends.js";
import { lowerForBackend } from "./render.js";

/**
 * Plans how a policy's ruleset replaces what is loaded.
 *
 * The load closes the deployer's own door. The deployer has usually just knocked to get in. With its door open, it
 * could not see whether the gate is closed.
 *
 * @param otherSources other addresses from which the gate is tried: the deployer's towards the host's other addresses,
 *   or another machine's
 */
export function planLoad(
  policy: Policy,
  loaded: LoadedTable | undefined,
  clientAddress: string,
  otherSources: readonly string[] = [],
): Load {
  const sources = [...new Set([clientAddress, ...otherSources])];
  return backendOf(policy).planLoad(lowerForBackend(policy), loaded, sources);
}
