import type { Gate, Policy } from "../policy/policy.js";
import type { PlacedGate, PlacedPolicy } from "../policy/policy-path.js";
import { mergePortRanges, type Protocol, protocols } from "../policy/port.js";
import { listProtected } from "../policy/protect.js";
import { lowerEvent } from "./lower-event.js";
import { decide } from "./make-rule.js";
import type { Chain, DispatchEntry, Match, Paths, Rule, Verdict } from "./ruleset.js";
import { openSet } from "./set-names.js";

/** Lowers a gate's door: the rules for all packets to its ports. */
export function lowerDoor(policy: Policy, gate: PlacedGate): Chain {
  const from = gate.singleConnection
    ? [gate.paths.protect, gate.paths.singleConnection]
    : [gate.paths.protect];
  const isOpen: Match = { kind: "inSet", set: openSet(gate.name) };
  const accept: Rule = {
    ...decide(from, [isOpen], passOn(policy)),
    effects: gate.singleConnection ? [{ kind: "deleteSource", set: openSet(gate.name) }] : [],
  };
  return {
    name: `${gate.name}_door`,
    from,
    rules: [...lowerEvent(policy, gate.name, "accepted", accept), ...lowerClosed(policy, gate, from)],
  };
}

/** Lowers the chains for denied sources. They find every door closed. */
export function lowerDenied(policy: PlacedPolicy): readonly Chain[] {
  if (policy.denyFrom.length === 0) return [];
  return [
    { name: "denied", from: ["denyFrom"], rules: dispatchProtected(policy, "closed", ["denyFrom"]) },
    ...policy.gates.map((gate): Chain => {
      const from: Paths = [gate.paths.protect, "denyFrom"];
      return { name: `${gate.name}_closed`, from, rules: lowerClosed(policy, gate, from) };
    }),
  ];
}

/**
 * Sends a packet to a protected port to its gate's door. Such a packet is never a step. Any other packet goes on to the
 * next rule.
 */
export function dispatchProtected(policy: PlacedPolicy, to: "door" | "closed", from: Paths): readonly Rule[] {
  return protocols.flatMap((protocol) => {
    const entries = policy.gates.flatMap((gate) => listEntries(gate, protocol, `${gate.name}_${to}`));
    const list = to === "door" ? "doors" : "closed";
    return entries.length === 0 ? [] : [decide(from, [], { kind: "dispatch", protocol, entries, list })];
  });
}

/**
 * Returns the verdict that lets a packet pass. In iptables, an accept ends the table for the packet. At input, that is
 * what the recipe does. At prerouting, it would take forwarded packets past the marks and the routing of others.
 */
export function passOn(policy: Policy): Verdict {
  return { kind: policy.scope === "prerouting" ? "return" : "accept", from: ["scope"] };
}

function listEntries(gate: PlacedGate, protocol: Protocol, chain: string): readonly DispatchEntry[] {
  const from = [gate.paths.protect];
  return mergePortRanges(listProtected(gate, protocol)).map((range) => ({ range, from, chain }));
}

function lowerClosed(policy: Policy, gate: Gate, from: Paths): readonly Rule[] {
  return lowerEvent(policy, gate.name, "dropped", decide(from, [], { kind: "drop" }));
}
