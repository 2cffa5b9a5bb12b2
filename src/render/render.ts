import { unreachable } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import { renderIptablesText } from "./iptables.js";
import { lowerPolicy } from "./lower.js";
import { renderNftables } from "./nftables.js";
import type { ShowSecret } from "./ruleset.js";
import { showValue } from "./show.js";

/** Renders a policy for its backend, as the text that a host keeps and loads. The same policy gives the same bytes. */
export function renderPolicy(policy: Policy, show: ShowSecret = showValue): string {
  const ruleset = lowerPolicy(policy);
  switch (policy.backend) {
    case "nftables":
      return renderNftables(ruleset, show);
    case "iptables":
      return renderIptablesText(ruleset, show);
    default:
      return unreachable(policy.backend);
  }
}
