import { z } from "zod";
import type { Event, Gate, Policy } from "../policy/policy.js";
import { mergePortRanges, protocols } from "../policy/port.js";
import { listProtected } from "../policy/protect.js";
import { toRange } from "../render/iptables-match.js";
import { chainName } from "../render/iptables-names.js";
import { counterName } from "../render/lower-event.js";
import { parseJson } from "./json.js";

/** How many packets of a gate the kernel has counted since its ruleset was loaded. */
export interface GateCounts {
  /** To its protected ports, and let through. */
  readonly accepted: number;
  /** To its protected ports, and dropped. */
  readonly dropped: number;
  /** Last steps that opened the door. iptables does not count them. */
  readonly opened?: number;
  /** Packets that put a source back to the start. iptables does not count them. */
  readonly reset?: number;
}

/** What each backend counts. */
type DoorEvent = "accepted" | "dropped";

/** By gate. */
export type Counts = ReadonlyMap<string, GateCounts>;

/** Whether at least so many packets to a gate were counted between two readings. */
export function hasRisen(
  event: DoorEvent,
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
  return read && new Map(policy.gates.map((gate) => [gate.name, read(gate)]));
}

type Reader = (gate: Gate) => GateCounts;

function readNftables(text: string): Reader | undefined {
  const listing = countersSchema.safeParse(parseJson(text));
  if (!listing.success) return undefined;
  const packets = new Map(
    listing.data.nftables.flatMap(({ counter }) =>
      counter === undefined ? [] : [[counter.name, counter.packets] as const],
    ),
  );
  return (gate) => {
    const read = (event: Event) => packets.get(counterName(gate.name, event)) ?? 0;
    return {
      accepted: read("accepted"),
      dropped: read("dropped"),
      opened: read("opened"),
      reset: read("reset"),
    };
  };
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
  const listing = ["beginning", "input", "doors"].map((chain) => chainName(policy.name, chain));
  const passes = policy.scope === "input" ? "ACCEPT" : "RETURN";
  const sum = (gate: Gate, event: DoorEvent): number => {
    const target = ` -j ${event === "dropped" ? "DROP" : passes}`;
    const ports = protocols.flatMap((protocol) =>
      mergePortRanges(listProtected(gate, protocol)).map((range) => `${toRange(protocol, range).join(" ")} `),
    );
    return rules
      .filter(({ rest }) => ` ${rest}`.endsWith(target))
      .filter(
        ({ chain, rest }) =>
          chain === chainName(policy.name, `${gate.name}_door`) ||
          (listing.includes(chain) && ports.some((words) => rest.startsWith(words))),
      )
      .reduce((total, { packets }) => total + packets, 0);
  };
  return (gate) => ({ accepted: sum(gate, "accepted"), dropped: sum(gate, "dropped") });
}
