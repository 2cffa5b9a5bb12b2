import { type Family, families } from "../policy/prefix.js";
import { listFamilyLines } from "../render/iptables.js";
import { chainName } from "../render/iptables-names.js";

/** A rule of somebody else that packets meet before the policy's jump, so that it decides first. */
export interface FrontRule {
  readonly family: Family;
  /** As iptables-save lists it. */
  readonly rule: string;
}

/**
 * Finds the rules that may decide over a packet before a policy of the backend iptables sees it (iptables(8): the first
 * rule that ends in a verdict counts). A change puts its jump before all others, so each one here came later.
 *
 * @param front what `Observed.front` holds
 */
export function findFrontRules(front: string, policy: string): readonly FrontRule[] {
  return families.flatMap((family) => {
    const lines = listFamilyLines(front, family);
    const jump = lines.findIndex((line) => line.endsWith(` -j ${chainName(policy, "input")}`));
    // A jump that is gone is a changed line, and then nothing stands before it.
    return lines
      .slice(0, Math.max(0, jump))
      .filter((rule) => !isHarmless(rule))
      .map((rule) => ({ family, rule }));
  });
}

/**
 * Rules that end no packet's way, other policies' jumps, and loopback. One that accepts what is established is none: conntrack
 * says that of a SYN, too, from the ports of a connection that was reset a moment ago.
 */
function isHarmless(rule: string): boolean {
  if (/ -j kg_[a-z0-9-]+$/.test(rule)) return true;
  const target = / -[jg] (\S+)/.exec(rule)?.[1];
  if (target === undefined || ["LOG", "NFLOG", "MARK", "CONNMARK", "TRACE"].includes(target)) return true;
  return target === "ACCEPT" && / -i lo -j ACCEPT$/.test(rule) && !rule.includes("!");
}
