import type { Policy } from "../policy/policy.js";
import { lowerPolicy } from "../ruleset/lower.js";
import type { Ruleset, ShowSecret } from "../ruleset/ruleset.js";
import { showValue } from "../ruleset/show.js";
import { backendOf } from "./backends.js";

/** Lowers a policy to the tree that its backend prints. */
export function lowerForBackend(policy: Policy): Ruleset {
  return lowerPolicy(policy, backendOf(policy).abilities);
}

/** Renders a policy for its backend, as the text that a host keeps and loads. The same policy gives the same bytes. */
export function renderPolicy(policy: Policy, show: ShowSecret = showValue): string {
  return backendOf(policy).render(lowerForBackend(policy), show);
}
