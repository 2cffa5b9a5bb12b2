import type { Event, Policy } from "../policy/policy.js";
import type { Rule } from "./ruleset.js";

const events: readonly Event[] = ["opened", "accepted", "dropped", "reset"];

/** Lists the names of a gate's counters. */
export function counterNames(gate: string): readonly string[] {
  return events.map((event) => counterName(gate, event));
}

/**
 * Makes a rule count its event and, if the policy asks for it, write the event to the kernel's log. The log line is a
 * rule of its own, because an exceeded rate limit ends its rule.
 */
export function lowerEvent(policy: Policy, gate: string, event: Event, rule: Rule): readonly Rule[] {
  const counted: Rule = {
    ...rule,
    effects: [{ kind: "count", counter: counterName(gate, event) }, ...rule.effects],
  };
  if (policy.log === undefined || !policy.log.events.includes(event)) return [counted];
  const { prefix, perMinute } = policy.log;
  const logged: Rule = {
    matches: rule.matches,
    effects: [{ kind: "log", prefix: `${prefix} ${gate} ${event} `, perMinute }],
  };
  return [logged, counted];
}

export function counterName(gate: string, event: Event): string {
  return `${gate}_${event}`;
}
