import { type PolicyReading, parsePolicy } from "../../policy/parse.js";

/** A fleet's hosts have one policy, or a few. */
const most = 8;

/** The policies that were read last, by their texts. */
const known = new Map<string, PolicyReading>();

/**
 * Reads a policy that the engine sent: a value of JSON, and nothing else. Equal values give one policy, so that what is
 * made of it, as its ruleset, is made once in a process, whatever the number of hosts.
 */
export function readPolicy(raw: unknown): PolicyReading {
  const text = JSON.stringify(raw) ?? "";
  const reading = known.get(text) ?? parsePolicy(raw);
  known.delete(text);
  known.set(text, reading);
  if (known.size > most) known.delete(known.keys().next().value ?? "");
  return reading;
}
