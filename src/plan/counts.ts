import { z } from "zod";
import { listProtected } from "../policy/gate.js";
import { mergePortRanges, protocols } from "../policy/port.js";
import type { Gate, Policy } from "../policy/schema.js";
import { toRange } from "../render/iptables-match.js";
import { chainName } from "../render/iptables-names.js";
import { counterName } from "../render/lower-event.js";
import { parseJson } from "./json.js";

/** How many packets to a gate's protected ports the kernel let pass and dropped so far. */
export interface GateCounts {
  readonly accepted: number;
  readonly dropped: number;
}

/** By gate. */
export type Counts = ReadonlyMap<string, GateCounts>;

/** Whether at least so many packets to a gate were counted between two readings. */
export function hasRisen(
  event: keyof GateCounts,
  gate: Gate,
  before: Counts | undefined,
  after: Counts | undefined,
  atLeast: number,
): boolean {
  const [earlier, later] = [before?.get(gate.name), after?.get(gate.name)];
  return earlier !== undefined && later !== undefined && later[event] - earlier[event] >= atLeast;
}

const countersSchema = z.object({
  nftables: z.array(
    z.object({ counter: z.object({ name: z.string(), packets: z.number() }).optional() }).loose(),
  ),
});

/**
 * Reads what the host's script says of a policy's counters: `nft -j list counters` (libnftables-json(5)), or the
 * policy's own lines of `iptables-save -c`, both families (iptables-save(8)). `undefined` when it is neither.
 */
export function readCounts(text: string, policy: Policy): Counts | undefined {
  const read = policy.backend === "nftables" ? readNftables(text) : readIptables(text, policy);
  if (read === undefined) return undefined;
  return new Map(
    policy.gates.map((gate) => [
      gate.name,
      { accepted: read(gate, "accepted"), dropped: read(gate, "dropped") },
    ]),
  );
}

type Reader = (gate: Gate, event: keyof GateCounts) => number;

function readNftables(text: string): Reader | undefined {
  const listing = countersSchema.safeParse(parseJson(text));
  if (!listing.success) return undefined;
  const packets = new Map(
    listing.data.nftables.flatMap(({ counter }) =>
      counter === undefined ? [] : [[counter.name, counter.packets] as const],
    ),
  );
  return (gate, event) => packets.get(counterName(gate.name, event)) ?? 0;
}

/** iptables counts by rule: those of a gate's door stand in a chain of its own, or where its ports are looked at. */
function readIptables(text: string, policy: Policy): Reader | undefined {
  const rules = [...text.matchAll(/^\[(\d+):\d+\] -A (\S+) (.*)$/gm)].map(
    ([, packets, chain = "", rest = ""]) => ({
      packets: Number(packets),
      chain,
      rest,
    }),
  );
  if (rules.length === 0) return undefined;
  const beginning = [chainName(policy.name, "beginning"), chainName(policy.name, "input")];
  const passes = policy.scope === "input" ? "ACCEPT" : "RETURN";
  return (gate, event) => {
    const target = ` -j ${event === "dropped" ? "DROP" : passes}`;
    const ports = protocols.flatMap((protocol) =>
      mergePortRanges(listProtected(gate, protocol)).map((range) => `${toRange(protocol, range).join(" ")} `),
    );
    return rules
      .filter(({ rest }) => ` ${rest}`.endsWith(target))
      .filter(
        ({ chain, rest }) =>
          chain === chainName(policy.name, `${gate.name}_door`) ||
          (beginning.includes(chain) && ports.some((words) => rest.startsWith(words))),
      )
      .reduce((sum, { packets }) => sum + packets, 0);
  };
}
