import { unreachable } from "../../errors.js";
import type { Family } from "../../policy/prefix.js";
import type { SecretFormatter, StepMatch, Verdict } from "../../ruleset/ruleset.js";
import { identifier } from "../quote.js";
import { braces, echoLength, icmp } from "./fields.js";
import type { NftablesContext } from "./names.js";

type StepDispatch = Extract<Verdict, { kind: "dispatchSteps" }>;

/** Prints one look-up for any number of steps: the kernel keeps the values in braces as a set. */
export function renderAnyStep(
  steps: readonly StepMatch[],
  family: Family,
  { show }: NftablesContext,
): string {
  const values = steps.map((step) => showAlike(step, family, show));
  return `${alikeField(steps[0], family)} ${braces([...new Set(values)])}`;
}

/**
 * Prints one look-up that leads to the chain of the step that the packet looks like. Steps are compared as they are
 * shown. With labels, nothing tells that two gates have the same step.
 */
export function renderStepDispatch(
  { stepKind, entries, all }: StepDispatch,
  family: Family,
  { show }: NftablesContext,
): string {
  const looks = entries.map(({ step }) => `${step.packet.kind} ${showAlike(step, family, show)}`);
  const gates = new Map<string, Set<string>>();
  for (const [index, { step }] of entries.entries()) {
    const look = looks[index] ?? "";
    gates.set(look, (gates.get(look) ?? new Set()).add(step.gate));
  }
  const shared = [...gates.values()].filter((each) => each.size > 1);
  const sharing = new Set(shared.flatMap((each) => [...each]));
  const targets = entries.flatMap(({ step, how, chain, ifShared }, index) => {
    if (step.packet.kind !== stepKind) return [];
    const isShared = (gates.get(looks[index] ?? "")?.size ?? 0) > 1;
    const own =
      ifShared !== undefined && sharing.has(step.gate)
        ? `jump ${identifier(ifShared)}`
        : `${how} ${identifier(chain)}`;
    return [[showAlike(step, family, show), isShared ? `goto ${identifier(all)}` : own] as const];
  });
  const first = entries.find(({ step }) => step.packet.kind === stepKind)?.step;
  return renderMap(alikeField(first, family), [...new Map(targets)]);
}

/** A map with one entry is printed without a look-up. */
export function renderMap(field: string, entries: readonly (readonly [string, string])[]): string {
  const [only, ...others] = entries;
  if (only !== undefined && others.length === 0) return `${field} ${only.join(" ")}`;
  return `${field} vmap { ${entries.map((entry) => entry.join(" : ")).join(", ")} }`;
}

/** Returns the header field that tells steps of one kind apart. */
function alikeField(step: StepMatch | undefined, family: Family): string {
  const kind = step?.packet.kind;
  switch (kind) {
    case undefined:
      throw new RangeError("no step to tell apart");
    case "tcp":
    case "udp":
      return `${kind} dport`;
    case "icmpEcho":
      return `${icmp(family)} type echo-request ${echoLength(family).field}`;
    default:
      return unreachable(kind);
  }
}

function showAlike(step: StepMatch, family: Family, show: SecretFormatter): string {
  const { packet } = step;
  switch (packet.kind) {
    case "tcp":
    case "udp":
      return show(step, "port", packet.port);
    case "icmpEcho":
      return show(step, "payload", packet.payloadBytes + echoLength(family).headers);
    default:
      return unreachable(packet);
  }
}
