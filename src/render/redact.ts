import { digestKeyed } from "../policy/digest.js";
import type { Policy } from "../policy/schema.js";
import { lowerPolicy } from "./lower.js";
import { renderNftables, type ShowPort } from "./nftables.js";

/**
 * Renders a policy for people to see: each step's port is a label that stays as long as the port stays, and changes
 * with it. Without the key, which is secret and random, nobody can try ports against a label.
 */
export function renderRedacted(policy: Policy, key: string): string {
  return renderNftables(lowerPolicy(policy), labelPorts(key));
}

/**
 * Makes a text that came from a host fit to be seen: lines that Knockgate rendered get the labels of
 * {@link renderRedacted}; on any other line a number that is a step's port becomes `<port>`.
 */
export function redactListing(text: string, policy: Policy, key: string): string {
  const rendered = renderNftables(lowerPolicy(policy)).split("\n");
  const redacted = renderRedacted(policy, key).split("\n");
  const labelled = new Map(rendered.map((line, index) => [line, redacted[index] ?? line]));
  return text
    .split("\n")
    .map((line) => labelled.get(line) ?? redactPorts(line, policy))
    .join("\n");
}

/** Hides each step's port wherever it stands as a number of its own: for messages that quote a host. */
export function redactPorts(text: string, policy: Policy): string {
  const ports = new Set(policy.gates.flatMap((gate) => gate.knock.steps.map((step) => step.tcp ?? step.udp)));
  return text.replace(/(?<![\w.])\d{1,5}(?!\w|\.\d)/g, (number) =>
    ports.has(Number(number)) ? "<port>" : number,
  );
}

function labelPorts(key: string): ShowPort {
  return ({ gate, position, protocol, port }) =>
    `<${gate}-${position}:${digestKeyed(key, JSON.stringify([gate, position, protocol, port]), 6)}>`;
}
