import type { Event, Policy } from "../policy/policy.js";
import type { PlacedGate } from "../policy/policy-path.js";
import type { Counter, Rule } from "./ruleset.js";

const events: readonly Event[] = ["opened", "accepted", "dropped", "reset"];

/** Lists a gate's counters. */
export function lowerCounters({ name, paths }: PlacedGate): readonly Counter[] {
  return events.map((event) => ({ name: counterName(name, event), from: [paths.gate] }));
}

/**
 * Makes a rule count its event and, if the policy asks for it, write the event to the kernel's log. The log line is a
 * rule of its own, because an exceeded rate limit ends its rule.
 *
 * @param user who is named in the line
 */
export function lowerEvent(
  policy: Policy,
  gate: string,
  event: Event,
  rule: Rule,
  user?: string,
): readonly Rule[] {
  const counted: Rule = {
    ...rule,
    effects: [{ kind: "count", counter: counterName(gate, event) }, ...rule.effects],
  };
  if (policy.log === undefined || !policy.log.events.includes(event)) return [counted];
  const { prefix, perMinute } = policy.log;
  const words = [prefix, gate, event, ...(user === undefined ? [] : [user])];
  const logged: Rule = {
    from: [...rule.from, "log"],
    matches: rule.matches,
    effects: [{ kind: "log", prefix: `${words.join(" ")} `, perMinute }],
  };
  return [logged, counted];
}

export function counterName(gate: string, event: Event): string {
  return `${gate}_${event}`;
}
