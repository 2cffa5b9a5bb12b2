import { mergePortRanges, parsePortRange } from "../policy/port.js";
import { mergePrefixes, parsePrefix } from "../policy/prefix.js";
import type { Gate, Policy } from "../policy/schema.js";
import { lowerKnock } from "./lower-knock.js";
import type { Chain, Match, Rule, Ruleset } from "./ruleset.js";
import { openSet } from "./set-names.js";

/** Decides, once for all backends, which packets a policy lets pass, drops and counts as steps. */
export function lowerPolicy(policy: Policy): Ruleset {
  const knocks = policy.gates.map(lowerKnock);
  return {
    policy: policy.name,
    sets: knocks.flatMap((knock) => knock.sets),
    chains: [
      lowerInput(policy),
      lowerBeginning(policy),
      ...policy.gates.map(lowerDoor),
      ...knocks.map((knock) => knock.chain),
    ],
  };
}

/**
 * Only what could begin something is looked at further. Gating TCP's first SYN, and not all that conntrack does not
 * know, keeps sessions alive that conntrack never saw: those idle at the first load.
 */
function lowerInput(policy: Policy): Chain {
  const prefixes = mergePrefixes(
    policy.allowFrom.flatMap((text) => {
      const reading = parsePrefix(text);
      return reading.kind === "prefix" ? [reading.prefix] : [];
    }),
  );
  const allowed: readonly Rule[] =
    prefixes.length === 0 ? [] : [{ ...accept([{ kind: "fromPrefixes", prefixes }]), comment: "allowFrom" }];
  const beginnings = (["beginsTcp", "beginsUdp", "beginsEcho"] as const).map((kind): Rule => {
    return { matches: [{ kind }], effects: [], verdict: { kind: "go", chain: "beginning" } };
  });
  return { name: "input", rules: [accept([{ kind: "loopback" }]), ...allowed, ...beginnings] };
}

/** A protected port's packet meets its gate's door and is never a step; any other one meets every gate's knock. */
function lowerBeginning(policy: Policy): Chain {
  return {
    name: "beginning",
    rules: [
      ...policy.gates.flatMap(lowerProtect),
      ...policy.gates.map((gate): Rule => {
        return { matches: [], effects: [], verdict: { kind: "call", chain: `${gate.name}_knock` } };
      }),
    ],
  };
}

function lowerProtect(gate: Gate): readonly Rule[] {
  return (["tcp", "udp"] as const).flatMap((protocol) => {
    const ranges = mergePortRanges(
      gate.protect.flatMap((entry) => parsePortRange(entry[protocol] ?? "") ?? []),
    );
    if (ranges.length === 0) return [];
    return [
      {
        matches: [{ kind: "toPorts", protocol, ranges }],
        effects: [],
        verdict: { kind: "go", chain: `${gate.name}_door` },
      } satisfies Rule,
    ];
  });
}

function lowerDoor(gate: Gate): Chain {
  return {
    name: `${gate.name}_door`,
    rules: [
      accept([{ kind: "inSet", set: openSet(gate.name) }]),
      { matches: [], effects: [], verdict: { kind: "drop" } },
    ],
  };
}

function accept(matches: readonly Match[]): Rule {
  return { matches, effects: [], verdict: { kind: "accept" } };
}
