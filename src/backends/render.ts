import type { Policy } from "../policy/policy.js";
import { makePathOrder } from "../policy/policy-path.js";
import { lowerPolicy } from "../ruleset/lower.js";
import type { Ruleset, SecretFormatter } from "../ruleset/ruleset.js";
import { revealSecrets } from "../ruleset/show.js";
import { backendOf } from "./backends.js";
import { joinLines, type Line } from "./line.js";

/** Lowers a policy to the tree that its backend prints. */
export const lowerForBackend = onceEach((policy: Policy): Ruleset => {
  return lowerPolicy(policy, backendOf(policy).abilities);
});

/** Renders a policy for its backend, as the text that a host keeps and loads. The same policy gives the same bytes. */
export function renderPolicy(policy: Policy, show?: SecretFormatter): string {
  return show === undefined ? renderRevealed(policy) : joinLines(printLines(policy, show));
}

const renderRevealed = onceEach((policy: Policy) => joinLines(printLines(policy, revealSecrets)));

/** Renders the lines of that text. The paths of each line stand in order: gates, protected ports, steps, settings. */
export function renderLines(policy: Policy, show: SecretFormatter = revealSecrets): readonly Line[] {
  const order = makePathOrder(policy);
  return printLines(policy, show).map(({ text, paths }) => ({ text, paths: order(paths) }));
}

function printLines(policy: Policy, show: SecretFormatter): readonly Line[] {
  return backendOf(policy).render(lowerForBackend(policy), show);
}

/** Keeps what was made of a policy as long as the policy: a change asks for it several times. */
export function onceEach<T>(make: (policy: Policy) => T): (policy: Policy) => T {
  const known = new WeakMap<Policy, T>();
  return (policy) => {
    const made = known.get(policy) ?? make(policy);
    known.set(policy, made);
    return made;
  };
}
