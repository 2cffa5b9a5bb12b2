import { z } from "zod";
import type { Event, Gate, Policy } from "../policy/policy.js";
import { mergePortRanges, protocols } from "../policy/port.js";
import { listProtected } from "../policy/protect.js";
import { toRange } from "../backends/iptables/match.js";
import { chainName } from "../backends/iptables/names.js";
import { counterName } from "../ruleset/lower-event.js";
import { parseJson } from "../backends/nftables/json.js";

/** How many packets of a gate the kernel has counted since its ruleset was loaded. */
export interface GateCounts {
  /** Packets to its protected ports that were accepted. */
  readonly accepted: number;
  /** Packets to its protected ports that were dropped. */
  readonly dropped: number;
  /** Last steps that opened the door. iptables does not count them. */
  readonly opened?: number;
  /** Packets that put a source back to the start. iptables does not count them. */
  readonly reset?: number;
}

/** Events that both backends count. */
type DoorEvent = "accepted" | "dropped";

/** Counts by the gate's name. */
export type Counts = ReadonlyMap<string, GateCounts>;

/** Whether at least `atLeast` packets to a gate were counted between two readings. */
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
 * Reads a policy's counters from the answer of the host's script: `nft -j list counters` (libnftables-json(5)), or the
 * policy's own lines of `iptables-save -c` of both families (iptables-save(8)). Returns `undefined` when the text is
 * neither.
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

/**
 * iptables counts packets per rule. The rules of a gate's door are in a chain of their own, or inline where the gate's
 * ports are matched.
 */
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
