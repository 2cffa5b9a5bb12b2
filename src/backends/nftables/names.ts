import type { Family } from "../../policy/prefix.js";
import type { SecretFormatter, SourceSet } from "../../ruleset/ruleset.js";
import { identifier } from "../quote.js";

/** What the printer of one rule needs to know of the ruleset. */
export interface NftablesContext {
  readonly sets: ReadonlyMap<string, SourceSet>;
  readonly show: SecretFormatter;
}

/** Names a policy's table; its family is `inet`, so that one table holds both address families. */
export function tableName(policy: string): string {
  return identifier(`knockgate_${policy}`);
}

/** Names the kernel's set for one address family. */
export function familySetName(set: string, family: Family): string {
  return identifier(`${set}_${family === "ipv4" ? "v4" : "v6"}`);
}
