import { describe, expect, test } from "vitest";
import { renderRedacted } from "../../../src/backends/redact";
import { lowerForBackend, renderPolicy } from "../../../src/backends/render";
import type { PolicyInput } from "../../../src/policy/policy";
import type { Chain } from "../../../src/ruleset/ruleset";
import { readPolicy } from "../policy/read-policy";

const counts = [6, 7, 8, 15, 16, 17, 100, 250];
const most = 15;

type Chains = ReadonlyMap<string, Chain>;

/** Lowers gates of two to sixteen steps that share none. */
function lower(count: number, length?: number): Chains {
  const gates = Array.from({ length: count }, (_, index) => ({
    name: `g${index}`,
    protect: [{ tcp: `${1 + index}` }],
    knock: {
      steps: Array.from({ length: length ?? 2 + (index % 15) }, (__, place) => ({
        tcp: 2_000 + 16 * index + ((place * 5) % 16),
      })),
    },
  }));
  const { chains } = lowerForBackend(readPolicy({ name: "edge", gates }));
  return new Map(chains.map((chain) => [chain.name, chain]));
}

function chainOf(chains: Chains, name: string): Chain {
  const found = chains.get(name);
  if (found === undefined) throw new Error(`no chain ${name}`);
  return found;
}

interface Place {
  /** The sets that lead to it. */
  readonly sets: readonly string[];
  readonly chain: string;
}

/** Follows all jumps from a chain to gates. */
function follow(chains: Chains, chain: string, sets: readonly string[] = []): readonly Place[] {
  return chainOf(chains, chain).rules.flatMap(({ matches, verdict }): readonly Place[] => {
    const [match] = matches;
    if (match?.kind !== "inSet" || verdict?.kind !== "jump") throw new Error(`${chain} has another rule`);
    const path = [...sets, match.set];
    return /^strict\d/.test(verdict.chain)
      ? follow(chains, verdict.chain, path)
      : [{ sets: path, chain: verdict.chain }];
  });
}

describe.each(["v4", "v6"])("the groups of many gates, for %s", (family) => {
  test.each(counts)("of %i gates lead to each position of each gate, once", (count) => {
    const places = follow(lower(count), `strict_${family}`);
    const reached = places.map(({ sets, chain }) => `${chain} ${sets.at(-1)}`);
    const expected = Array.from({ length: count }, (_, index) =>
      Array.from({ length: 1 + (index % 15) }, (__, place) => `g${index}_strict g${index}_step${place + 1}`),
    );
    expect(reached).toEqual(expected.flat());
  });

  test.each(counts)("of %i gates: who is at a gate is in each set that leads there", (count) => {
    const chains = lower(count);
    for (const { sets, chain } of follow(chains, `strict_${family}`)) {
      const gate = chain.replace(/_strict$/, "");
      const own = [chainOf(chains, `${gate}_first_step`), chainOf(chains, `${gate}_sequence`)];
      const rules = own.flatMap(({ rules }) => rules);
      for (const { effects } of rules) {
        const added = effects.flatMap((effect) => (effect.kind === "addSource" ? [effect.set] : []));
        const at = added.findIndex((set) => /_step\d+$/.test(set));
        if (at < 0) continue;
        // Before the step is taken: a full set ends the rule.
        expect(added.slice(0, at)).toEqual(expect.arrayContaining(sets.slice(0, -1)));
      }
    }
  });

  test.each(counts)("of %i gates: a source is looked up in few sets", (count) => {
    const chains = lower(count);
    const groups = [...chains.values()].filter(({ name }) => /^strict(\d+_\d+)?_v/.test(name));
    expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
    for (const { rules } of groups) expect(rules.length).toBeLessThanOrEqual(most);
    const deepest = Math.max(...follow(chains, `strict_${family}`).map(({ sets }) => sets.length));
    expect(deepest).toBeLessThanOrEqual(1 + Math.ceil(Math.log(16 * count) / Math.log(most / 2)));
  });
});

test("a hundred gates of three steps need only one level of groups, so that a first step adds to one set more", () => {
  const places = follow(lower(100, 3), "strict_v4");
  expect(new Set(places.map(({ sets }) => sets.length))).toEqual(new Set([2]));
});

describe("of two gates that share a step", () => {
  const gate = (index: number, tcp: number): PolicyInput["gates"][number] => ({
    name: `g${index}`,
    protect: [{ tcp: `${1 + index}` }],
    knock: { steps: [{ tcp }, { udp: 30_000 + index }, { tcp: 40_000 + index }] },
  });
  const policyOf = (last: number) =>
    readPolicy({ name: "edge", gates: [0, 1, 2, 3, 4, 5].map((i) => gate(i, i === 5 ? last : 20_000 + i)) });

  test("each lets a packet go on to the other, because a source can be in mid-knock at both", () => {
    expect(renderPolicy(policyOf(20_005))).toContain("30000 : goto g0_steps");
    const shared = renderPolicy(policyOf(20_000));
    expect(shared).toContain("30000 : jump g0_sequence");
    expect(shared).toContain("20000 : goto all_sequences");
    expect(shared).toContain("30001 : goto g1_steps");
  });

  test("people see nothing of it", () => {
    const masked = (last: number) => renderRedacted(policyOf(last), "key").replaceAll(/(?<=<g5-1:)\w+/g, "");
    expect(masked(20_000)).toBe(masked(20_005));
  });
});
