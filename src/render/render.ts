import { unreachable } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import { makePathOrder } from "../policy/policy-path.js";
import { renderIptablesLines } from "./iptables.js";
import { joinLines, type Line } from "./line.js";
import { lowerPolicy } from "./lower.js";
import { renderNftablesLines } from "./nftables.js";
import type { ShowSecret } from "./ruleset.js";
import { showValue } from "./show.js";

/** Renders a policy for its backend, as the text that a host keeps and loads. The same policy gives the same bytes. */
export function renderPolicy(policy: Policy, show: ShowSecret = showValue): string {
  return joinLines(printLines(policy, show));
}

/** Renders the lines of that text. The paths of each line stand in order: gates, protected ports, steps, settings. */
export function renderLines(policy: Policy, show: ShowSecret = showValue): readonly Line[] {
  const order = makePathOrder(policy);
  return printLines(policy, show).map(({ text, paths }) => ({ text, paths: order(paths) }));
}

function printLines(policy: Policy, show: ShowSecret): readonly Line[] {
  const ruleset = lowerPolicy(policy);
  switch (policy.backend) {
    case "nftables":
      return renderNftablesLines(ruleset, show);
    case "iptables":
      return renderIptablesLines(ruleset, show);
    default:
      return unreachable(policy.backend);
  }
}
