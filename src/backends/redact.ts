import { unreachable } from "../errors.js";
import { digestKeyed } from "../policy/digest.js";
import { stepsOf } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import { payloadBytesOf, portOf, type Step } from "../policy/step.js";
import type { SecretFormatter, SecretStep } from "../ruleset/ruleset.js";
import { onceEach, renderPolicy } from "./render.js";

/**
 * Renders a policy for people. Each step's port or size is a label, which stays the same as long as the step does. The
 * key is secret and random. Without it, nobody can try ports against a label.
 */
export function renderRedacted(policy: Policy, key: string): string {
  const { parts, blanks } = renderBlanks(policy);
  const labels = blanks.map((blank) => makeLabel(key, blank));
  return parts.map((part, index) => (index % 2 === 0 ? part : (labels[Number(part)] ?? ""))).join("");
}

/** A rendered policy without its secrets. Each second part is the number of a blank. */
interface BlankedRuleset {
  readonly parts: readonly string[];
  readonly blanks: readonly Labelled[];
}

/** Renders once for any number of keys: a fleet has one policy, and a key for each host. */
const renderBlanks = onceEach((policy: Policy): BlankedRuleset => {
  const blanks: Labelled[] = [];
  const numbers = new Map<string, number>();
  const text = renderPolicy(policy, (step, field) => {
    const blank = listLabelled(step, field);
    const number = numbers.get(blank.text) ?? blanks.push(blank) - 1;
    numbers.set(blank.text, number);
    return `${separator}${number}${separator}`;
  });
  return { parts: text.split(separator), blanks };
});

/** No ruleset has this character. */
const separator = "\0";

/**
 * Redacts a text from a host. A line that Knockgate rendered gets the labels of {@link renderRedacted}. On any other
 * line, a number that is a step's port or size becomes `<secret>`.
 */
export function redactListing(text: string, policy: Policy, key: string): string {
  const rendered = renderPolicy(policy).split("\n");
  const redacted = renderRedacted(policy, key).split("\n");
  const labelled = new Map(rendered.map((line, index) => [line, redacted[index] ?? line]));
  return text
    .split("\n")
    .map((line) => labelled.get(line) ?? redactPorts(line, policy))
    .join("\n");
}

/** Hides each step's port and size where it is a number of its own. For messages that quote a host. */
export function redactPorts(text: string, policy: Policy): string {
  const secrets = new Set(policy.gates.flatMap((gate) => stepsOf(gate).flatMap(listNumbers)));
  return text.replace(/(?<![\w.])\d{1,5}(?!\w|\.\d)/g, (number) =>
    secrets.has(Number(number)) ? "<secret>" : number,
  );
}

/** A backend writes a size with the headers that it counts. */
function listNumbers(step: Step): readonly number[] {
  const port = portOf(step);
  const payload = payloadBytesOf(step);
  return [
    ...(port === undefined ? [] : [port]),
    ...(payload === undefined ? [] : [0, 8, 28, 48].map((add) => payload + add)),
  ];
}

/** Shows each step's secret as its label. */
export function maskSecrets(key: string): SecretFormatter {
  return (step, field) => makeLabel(key, listLabelled(step, field));
}

/** What a label is made from. */
interface Labelled {
  /** The label's begin, for people. */
  readonly name: string;
  readonly text: string;
}

function makeLabel(key: string, { name, text }: Labelled): string {
  return `<${name}:${digestKeyed(key, text, 6)}>`;
}

/** The text never changes, so that a step keeps its label when Knockgate is upgraded. */
function listLabelled(
  { gate, position, packet }: SecretStep,
  field: Parameters<SecretFormatter>[1],
): Labelled {
  const name = field === "port" ? `${gate}-${position}` : `${gate}-${position}-size`;
  return { name, text: JSON.stringify([gate, position, listSecrets(packet), field]) };
}

function listSecrets(step: Step): object {
  switch (step.kind) {
    case "tcp":
      return { kind: "tcp", port: step.port };
    case "udp":
      return { kind: "udp", port: step.port, payloadBytes: step.payloadBytes };
    case "icmpEcho":
      return { kind: "echo", payloadBytes: step.payloadBytes };
    default:
      return unreachable(step);
  }
}
