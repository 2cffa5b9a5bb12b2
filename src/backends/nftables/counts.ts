import { z } from "zod";
import type { GateCounts } from "../../policy/counts.js";
import type { Event, Gate, Policy } from "../../policy/policy.js";
import { counterName } from "../../ruleset/lower-event.js";
import { parseHostJson } from "./json.js";
import { tableName } from "./names.js";

const countersSchema = z.object({
  nftables: z.array(
    z
      .object({ counter: z.object({ name: z.string(), table: z.string(), packets: z.number() }).optional() })
      .loose(),
  ),
});

/**
 * Reads a policy's named counters from `nft -j list counters`, or from a list of all tables (libnftables-json(5)).
 */
export function readNftablesCounts(text: string, policy: Policy): ((gate: Gate) => GateCounts) | undefined {
  const listing = countersSchema.safeParse(parseHostJson(text));
  if (!listing.success) return undefined;
  const packets = new Map(
    listing.data.nftables.flatMap(({ counter }) =>
      counter?.table === tableName(policy.name) ? [[counter.name, counter.packets] as const] : [],
    ),
  );
  return ({ name }) => {
    const read = (event: Event) => packets.get(counterName(name, event)) ?? 0;
    return {
      accepted: read("accepted"),
      dropped: read("dropped"),
      opened: read("opened"),
      reset: read("reset"),
    };
  };
}
