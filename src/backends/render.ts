import { unreachable } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import { renderIptablesText } from "./iptables/render.js";
import { lowerPolicy } from "../ruleset/lower.js";
import { renderNftables } from "./nftables/render.js";
import type { ShowSecret } from "../ruleset/ruleset.js";
import { showValue } from "../ruleset/show.js";

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
