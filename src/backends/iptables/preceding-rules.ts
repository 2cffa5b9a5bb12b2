import { families } from "../../policy/prefix.js";
import type { PrecedingRule } from "../backend.js";
import { chainName } from "./names.js";
import { listFamilyLines } from "./render.js";

/**
 * Finds the rules that may decide on a packet before a policy of the backend iptables sees it (iptables(8): the first
 * rule that ends in a verdict counts). A change inserts its jump before all other rules, so each rule found was added
 * later.
 *
 * @param listed the value of `Observed.preceding`
 */
export function findPrecedingRules(listed: string, policy: string): readonly PrecedingRule[] {
  return families.flatMap((family) => {
    const lines = listFamilyLines(listed, family);
    const jump = lines.findIndex((line) => line.endsWith(` -j ${chainName(policy, "input")}`));
    // If the jump is gone, the drift is a changed line, and no rule precedes it.
    return lines
      .slice(0, Math.max(0, jump))
      .filter((rule) => !isHarmless(rule))
      .map((rule) => ({ family, rule }));
  });
}

/**
 * Harmless are: a rule without a final verdict, the jump of another policy, and the accept of loopback. A rule that
 * accepts ESTABLISHED is not harmless: conntrack also says ESTABLISHED of a SYN that comes from the ports of a
 * connection that was reset a moment ago.
 */
function isHarmless(rule: string): boolean {
  if (/ -j kg_[a-z0-9-]+$/.test(rule)) return true;
  const target = / -[jg] (\S+)/.exec(rule)?.[1];
  if (target === undefined || ["LOG", "NFLOG", "MARK", "CONNMARK", "TRACE"].includes(target)) return true;
  return target === "ACCEPT" && / -i lo -j ACCEPT$/.test(rule) && !rule.includes("!");
}
