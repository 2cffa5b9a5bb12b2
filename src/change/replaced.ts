import { nameOnHost } from "../backends/backends.js";
import type { Reply } from "../host/script/program.js";
import type { Policy } from "../policy/policy.js";

/** Whether two policies use the same table or chains on a host. */
export function isSamePlace(one: Policy, other: Policy): boolean {
  return one.name === other.name && nameOnHost(one) === nameOnHost(other);
}

/** Lists other policy names that the host may have and that the new policy replaces. */
export function listReplaced(policy: Policy, formerPolicies: readonly Policy[]): readonly string[] {
  const names = formerPolicies.map(({ name }) => name).filter((name) => name !== policy.name);
  return [...new Set(names)];
}

/** Says what the host will remove after it has loaded the new ruleset. */
export function describeReplaced(armed: Reply, policy: Policy): readonly string[] {
  return armed.list("former").map((line) => {
    const [name = "", backend = ""] = line.split(" ");
    const what =
      name === policy.name ? `the ruleset of the backend ${backend.replace(/_.*/, "")}` : `policy ${name}`;
    return `${what} is removed right after the new ruleset is loaded, and comes back if the change is undone`;
  });
}
