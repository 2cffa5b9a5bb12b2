import type { Policy } from "../policy/policy.js";
import { nameBackend, type Reply } from "./program.js";

/** Whether two policies are the same table or chains of a host. */
export function isSamePlace(one: Policy, other: Policy): boolean {
  return one.name === other.name && nameBackend(one) === nameBackend(other);
}

/** The other names under which a host may have what a policy takes the place of. */
export function listReplaced(policy: Policy, formerPolicies: readonly Policy[]): readonly string[] {
  const names = formerPolicies.map(({ name }) => name).filter((name) => name !== policy.name);
  return [...new Set(names)];
}

/** Says what the host will take away once the new ruleset is loaded. */
export function describeReplaced(armed: Reply, policy: Policy): readonly string[] {
  return armed.list("former").map((line) => {
    const [name = "", backend = ""] = line.split(" ");
    const what =
      name === policy.name ? `its ruleset of the backend ${backend.replace(/_.*/, "")}` : `policy ${name}`;
    return `${what} goes right after the new ruleset is loaded, and comes back if that is undone`;
  });
}
