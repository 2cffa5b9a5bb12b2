import { unreachable } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import { lowerPolicy } from "../ruleset/lower.js";
import { planIptablesLoad } from "./iptables/load.js";
import { planNftablesLoad } from "./nftables/load.js";
import type { LoadedTable } from "../plan/observed.js";

/** What a host loads in one go. */
export interface Load {
  /**
   * `refill` keeps the open doors. `replace` closes them: nothing is loaded, or the new ruleset does not fit the loaded
   * one.
   */
  readonly kind: "refill" | "replace";
  /** Secret. */
  readonly text: string;
}

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
  const ruleset = lowerPolicy(policy);
  switch (policy.backend) {
    case "nftables":
      return planNftablesLoad(ruleset, loaded, sources);
    case "iptables":
      return planIptablesLoad(ruleset, loaded, sources);
    default:
      return unreachable(policy.backend);
  }
}
