import { unreachable } from "../errors.js";
import { digestKeyed } from "../policy/digest.js";
import { stepsOf } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import { payloadBytesOf, portOf, type Step } from "../policy/step.js";
import type { SecretFormatter } from "../ruleset/ruleset.js";
import { renderPolicy } from "./render.js";

/**
 * Renders a policy for people. Each step's port or size is a label, which stays the same as long as the step does. The
 * key is secret and random. Without it, nobody can try ports against a label.
 */
export function renderRedacted(policy: Policy, key: string): string {
  return renderPolicy(policy, maskSecrets(key));
}

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
  return ({ gate, position, packet }, field) => {
    const label = digestKeyed(key, JSON.stringify([gate, position, listLabelled(packet), field]), 6);
    return field === "port" ? `<${gate}-${position}:${label}>` : `<${gate}-${position}-size:${label}>`;
  };
}

/** What a label is made from. It never changes, so that a step keeps its label when Knockgate is upgraded. */
function listLabelled(step: Step): object {
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
