import { unreachable } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import { lowerPolicy } from "../render/lower.js";
import { planIptablesLoad } from "./load-iptables.js";
import { planNftablesLoad } from "./load-nftables.js";
import type { LoadedTable } from "./observed.js";

/** What a host loads in one go. */
export interface Load {
  /** `refill` keeps the open doors; `replace` closes them, where old and new don't fit each other. */
  readonly kind: "refill" | "replace";
  /** Secret. */
  readonly text: string;
}

/**
 * Plans how a policy's ruleset takes the place of what is loaded.
 *
 * The deployer's own door is closed on the way: it has mostly just knocked to get in, and a door that is open for it
 * would hide whether the gate is closed.
 *
 * @param otherSources from where the gate is tried as well: towards the host's other addresses, or by another machine
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
