import type { Backend } from "../backend.js";
import { readIptablesCounts } from "./counts.js";
import { iptablesLintRules } from "./lint-rules.js";
import { splitIptablesListing } from "./listing.js";
import { planIptablesLoad } from "./load.js";
import { hook, listName } from "./names.js";
import { findPrecedingRules } from "./preceding-rules.js";
import { checkIptables } from "./preflight.js";
import { renderIptablesLines } from "./render.js";
import { writeSource } from "./source.js";

/** Chains in the host's own tables, and lists of xt_recent, by iptables-restore(8). */
export const iptables: Backend = {
  abilities: {
    refusesWhenFull: false,
    hasSizedSets: false,
    hasVerdictMaps: false,
    hasFinalAccept: true,
    hasTokens: false,
  },
  lintRules: iptablesLintRules,
  // In table mangle, a policy returns what it lets pass.
  finalTables: (scope) => (scope === "input" ? ["ip filter", "ip6 filter"] : []),
  describeRoom: () => "as many sources at once as the host's xt_recent holds",

  render: renderIptablesLines,
  planLoad: planIptablesLoad,
  writeTokenSource: () => undefined,

  nameOnHost: (scope) => `iptables_${hook(scope).table}`,
  checkTools: checkIptables,
  describeTool: ({ iptablesVersion }) => iptablesVersion,
  readLoaded: (_policy, listing) => ({ listing, sets: [], chains: [], counters: [] }),
  splitListing: splitIptablesListing,
  readCounts: readIptablesCounts,
  findPrecedingRules,

  nameSet: (policy, set) => listName(policy, set),
  writeSource,
  // The tick at which xt_recent last saw the source.
  readFreshness: Number,
};
