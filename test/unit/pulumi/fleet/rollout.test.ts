import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Finding } from "../../../../src/policy/finding";
import { readRollout } from "../../../../src/pulumi/fleet/rollout";
import { runs } from "../../runs";

const fleet = (count: number) => Array.from({ length: count }, (_, index) => `h${index + 1}`);

function deal(waves: readonly object[], hosts: readonly string[]): readonly (readonly string[])[] {
  const reading = readRollout({ waves }, hosts);
  if (reading.kind === "wrong") throw new Error(JSON.stringify(reading.findings));
  return reading.waves;
}

function find(raw: unknown, hosts: readonly string[]): readonly Finding[] {
  const reading = readRollout(raw, hosts);
  if (reading.kind === "rollout") throw new Error("nothing is wrong");
  return reading.findings;
}

describe("dealing hosts out to waves", () => {
  test.each<readonly [string, readonly object[], number, readonly number[]]>([
    ["no wave: all at once", [], 5, [5]],
    ["a count, repeated", [{ count: 2 }], 5, [2, 2, 1]],
    ["counts, the last repeated", [{ count: 1 }, { count: 2 }], 6, [1, 2, 2, 1]],
    ["a count that is more than there are", [{ count: 9 }], 5, [5]],
    ["waves that find nobody left", [{ count: 5 }, { count: 1 }, { percent: 1 }], 5, [5]],
    ["percentages of all, not of the rest", [{ percent: 10 }, { percent: 50 }], 20, [2, 10, 8]],
    ["a percentage, repeated", [{ percent: 40 }], 10, [4, 4, 2]],
    ["a percentage rounded down", [{ percent: 39 }, { percent: 100 }], 10, [3, 7]],
    ["a percentage of less than one host", [{ percent: 1 }, { percent: 0.1 }], 3, [1, 1, 1]],
    ["a count, then a percentage", [{ count: 1 }, { percent: 25 }, { percent: 100 }], 9, [1, 2, 6]],
    ["all of them", [{ percent: 100 }], 7, [7]],
    ["no host", [{ count: 1 }], 0, []],
    ["no host and no wave", [], 0, []],
  ])("%s", (_what, waves, count, sizes) => {
    const dealt = deal(waves, fleet(count));
    expect(dealt.map((wave) => wave.length)).toEqual(sizes);
    // In the order of the fleet.
    expect(dealt.flat()).toEqual(fleet(count));
  });

  test("a percentage that is a whole number of hosts gives exactly this number, whatever its binary fraction", () => {
    for (const [percent, of, size] of [
      [18.4, 375, 69],
      [32.8, 375, 123],
      [65.6, 375, 246],
      [33.3, 1_000, 333],
      [33.39, 1_000, 333],
      [99.9, 10, 9],
    ] as const) {
      expect(deal([{ percent }, { percent: 100 }], fleet(of))[0]).toHaveLength(size);
    }
  });

  test.each<readonly [string, readonly object[], readonly (readonly string[])[]]>([
    [
      "the rest behind a list of names is one wave",
      [{ hosts: ["h2", "h4"] }],
      [
        ["h2", "h4"],
        ["h1", "h3", "h5", "h6"],
      ],
    ],
    [
      "names keep the order that they were given in",
      [{ hosts: ["h3", "h1"] }],
      [
        ["h3", "h1"],
        ["h2", "h4", "h5", "h6"],
      ],
    ],
    [
      "a count takes nobody that a later wave names",
      [{ count: 2 }, { hosts: ["h1", "h3"] }],
      [
        ["h2", "h4"],
        ["h1", "h3"],
        ["h5", "h6"],
      ],
    ],
    [
      "a count behind names takes nobody that they name, and is repeated",
      [{ hosts: ["h2"] }, { count: 2 }],
      [["h2"], ["h1", "h3"], ["h4", "h5"], ["h6"]],
    ],
    [
      "a percentage is of all hosts, named ones too",
      [{ hosts: ["h6", "h5", "h4"] }, { percent: 50 }],
      [
        ["h6", "h5", "h4"],
        ["h1", "h2", "h3"],
      ],
    ],
    [
      "names alone that are all hosts leave no rest",
      [{ hosts: ["h1", "h2", "h3"] }, { hosts: ["h6", "h5", "h4"] }],
      [
        ["h1", "h2", "h3"],
        ["h6", "h5", "h4"],
      ],
    ],
    [
      "a count that finds nobody left between names makes no wave",
      [{ count: 4 }, { count: 1 }, { hosts: ["h1", "h2"] }],
      [
        ["h3", "h4", "h5", "h6"],
        ["h1", "h2"],
      ],
    ],
  ])("%s", (_what, waves, expected) => {
    expect(deal(waves, fleet(6))).toEqual(expected);
  });

  test("puts every host into exactly one wave, and makes no empty wave", () => {
    fc.assert(
      fc.property(rolloutOf(), ({ hosts, waves }) => {
        const dealt = deal(waves, hosts);
        expect([...dealt.flat()].sort()).toEqual([...hosts].sort());
        expect(dealt.filter((wave) => wave.length === 0)).toEqual([]);
        for (const { hosts: named } of waves) if (named !== undefined) expect(dealt).toContainEqual(named);
      }),
      runs(100),
    );
  });
});

interface Choice {
  readonly count?: number;
  readonly percent?: number;
  readonly hosts?: readonly string[];
}

/** A fleet, and waves that are valid for it: no host is named twice. */
function rolloutOf(): fc.Arbitrary<{ readonly hosts: readonly string[]; readonly waves: readonly Choice[] }> {
  const counted: fc.Arbitrary<Choice> = fc.oneof(
    fc.record({ count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ percent: fc.double({ min: 0.01, max: 100, noNaN: true }) }),
  );
  return fc.integer({ min: 0, max: 12 }).chain((count) => {
    const hosts = fleet(count);
    // A list of 0 stands for a count or a percentage.
    const choice = fc.tuple(fc.integer({ min: 0, max: 3 }), counted);
    return fc
      .tuple(fc.shuffledSubarray(hosts), fc.array(choice, { maxLength: 5 }))
      .map(([names, choices]) => {
        const left = [...names];
        const waves = choices.map(([length, other]): Choice => {
          const named = left.splice(0, length);
          return named.length === 0 ? other : { hosts: named };
        });
        return { hosts, waves };
      });
  });
}

describe("what a rollout leaves out", () => {
  const defaults = {
    waves: [],
    pauseBetweenSeconds: 0,
    healthTimeoutSeconds: 30,
    maxFailures: 0,
    onFailure: "halt",
  };

  test.each([undefined, null, {}])("has its default: %j", (raw) => {
    expect(readRollout(raw, fleet(2))).toEqual({ kind: "rollout", rollout: defaults, waves: [["h1", "h2"]] });
  });
});

describe("a rollout that is wrong", () => {
  test("reports all mistakes at once, each with its path, its rule and a fix", () => {
    const hosts = ["h1", "hx", "h2", "h1", "h2"];
    const waves = [{}, { count: 1, percent: 5 }, { hosts }, { count: 1, hosts: ["h2", "hy"] }];
    const findings = find({ waves }, fleet(3));
    expect(findings.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
      "rollout.waves[0] wave-choice",
      "rollout.waves[1] wave-choice",
      "rollout.waves[3] wave-choice",
      "rollout.waves[2].hosts[1] wave-host",
      "rollout.waves[2].hosts[3] wave-host",
      "rollout.waves[2].hosts[4] wave-host",
      "rollout.waves[3].hosts[0] wave-host",
      "rollout.waves[3].hosts[1] wave-host",
    ]);
    expect(findings.map(({ message }) => message)).toEqual([
      "has none of count, percent and hosts.",
      "has more than one of count, percent and hosts.",
      "has more than one of count, percent and hosts.",
      "is not a host of this fleet.",
      "is in a wave already.",
      "is in a wave already.",
      "is in a wave already.",
      "is not a host of this fleet.",
    ]);
    for (const { fix } of findings) expect(fix).toMatch(/^[A-Z].+\.$/);
  });

  test.each<readonly [string, unknown]>([
    ["rollout.waves[1].count", { waves: [{ count: 1 }, { count: 0 }] }],
    ["rollout.waves[0].count", { waves: [{ count: 1.5 }] }],
    ["rollout.waves[0].percent", { waves: [{ percent: 0 }] }],
    ["rollout.waves[0].percent", { waves: [{ percent: 100.5 }] }],
    ["rollout.waves[0].hosts", { waves: [{ hosts: [] }] }],
    ["rollout.waves[0]", { waves: [{ counts: 1 }] }],
    ["rollout.pauseBetweenSeconds", { pauseBetweenSeconds: -1 }],
    ["rollout.pauseBetweenSeconds", { pauseBetweenSeconds: 86_401 }],
    ["rollout.healthCommand", { healthCommand: "" }],
    ["rollout.healthTimeoutSeconds", { healthTimeoutSeconds: 0 }],
    ["rollout.healthTimeoutSeconds", { healthTimeoutSeconds: 3_601 }],
    ["rollout.maxFailures", { maxFailures: -1 }],
    ["rollout.onFailure", { onFailure: "ignore" }],
    ["rollout", { wave: [] }],
    ["rollout", "all at once"],
  ])("has a finding at %s for %j", (path, raw) => {
    const findings = find(raw, fleet(2));
    expect(findings.map((finding) => `${finding.path} ${finding.rule}`)).toEqual([`${path} rollout-shape`]);
    expect(findings[0]?.fix).toMatch(/^[A-Z].*\.$/);
  });

  test("reports wrong waves together with another field of a wrong type", () => {
    const raw = { waves: [{ hosts: ["hx"] }, {}], maxFailures: -1 };
    expect(find(raw, fleet(2)).map(({ path }) => path)).toEqual([
      "rollout.maxFailures",
      "rollout.waves[1]",
      "rollout.waves[0].hosts[0]",
    ]);
  });

  test("reports all wrong types at once, too", () => {
    const raw = { waves: [{ count: 0 }, { percent: 101 }], maxFailures: -1, onFailure: "ignore" };
    expect(find(raw, fleet(2)).map(({ path }) => path)).toEqual([
      "rollout.waves[0].count",
      "rollout.waves[1].percent",
      "rollout.maxFailures",
      "rollout.onFailure",
    ]);
  });
});
