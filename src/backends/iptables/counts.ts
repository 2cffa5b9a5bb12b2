import type { DoorEvent, GateCounts } from "../../policy/counts.js";
import type { Gate, Policy } from "../../policy/policy.js";
import { mergePortRanges, protocols } from "../../policy/port.js";
import { listProtected } from "../../policy/protect.js";
import { toRange } from "./match.js";
import { chainName } from "./names.js";

/**
 * Reads a policy's own lines of `iptables-save -c` (iptables-save(8)) of both families. iptables counts packets per rule.
 * The rules of a gate's door are in a chain of their own, or inline where the gate's ports are matched.
 */
export function readIptablesCounts(text: string, policy: Policy): ((gate: Gate) => GateCounts) | undefined {
  const rules = [...text.matchAll(/^\[(\d+):\d+\] -A (\S+) (.*)$/gm)].map(
    ([, packets, chain = "", rest = ""]) => ({
      packets: Number(packets),
      chain,
      rest,
    }),
  );
  if (rules.length === 0) return undefined;
  const listing = ["new_connections", "input", "doors"].map((chain) => chainName(policy.name, chain));
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
