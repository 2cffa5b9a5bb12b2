import type { Load } from "../backends/backend.js";
import { readCounts } from "../backends/backends.js";
import type { Observed } from "../host/observed.js";
import type { Reply } from "../host/script/program.js";
import type { Counts } from "../policy/counts.js";
import type { Policy } from "../policy/policy.js";

/**
 * Reads what a policy's counters have right after a load. iptables says it then. With nftables a new table's counters
 * begin at zero, and those of a table that is refilled go on from where they were when the host was looked at.
 * `undefined`: the host has to be asked.
 */
export function readLoadedCounts(
  policy: Policy,
  kind: Load["kind"],
  { tables }: Observed,
  loaded: Reply,
): Counts | undefined {
  if (policy.backend !== "nftables") return readCounts(loaded.sections.get("counts") ?? "", policy);
  if (kind === "refill") return readCounts(tables, policy);
  return new Map(policy.gates.map(({ name }) => [name, { accepted: 0, dropped: 0 }]));
}
