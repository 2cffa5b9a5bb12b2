import { isIPv6 } from "node:net";
import type { Backend } from "../backend.js";
import { readNftablesCounts } from "./counts.js";
import { readDescription } from "./description.js";
import { splitNftablesListing } from "./listing.js";
import { planNftablesLoad } from "./load.js";
import { familySetName, tableName } from "./names.js";
import { checkNft } from "./preflight.js";
import { renderNftablesLines } from "./render.js";
import { readTimeLeft } from "./time-left.js";
import { writeTokenSource } from "./token-source.js";

/** A table of its own for each policy, by nft(8). */
export const nftables: Backend = {
  abilities: {
    refusesWhenFull: true,
    hasSizedSets: true,
    hasVerdictMaps: true,
    hasFinalAccept: false,
    hasTokens: true,
  },
  lintRules: [],
  finalTables: () => [],
  describeRoom: ({ sources }) => `${sources} sources at once in each set`,

  render: renderNftablesLines,
  planLoad: planNftablesLoad,
  writeTokenSource,

  nameOnHost: () => "nftables",
  checkTools: checkNft,
  describeTool: ({ nftVersion }) => `nft ${nftVersion}`,
  readLoaded: (policy, listing, own) => ({ listing, ...readDescription(own, tableName(policy)) }),
  splitListing: splitNftablesListing,
  readCounts: readNftablesCounts,
  // Its chains come before those of others (see baseChain), and what runs earlier by priority is no rule of a chain.
  findPrecedingRules: () => [],

  nameSet: (_policy, set, source) => familySetName(set, isIPv6(source) ? "ipv6" : "ipv4"),
  writeSource: (source) => source,
  readFreshness: readTimeLeft,
};
