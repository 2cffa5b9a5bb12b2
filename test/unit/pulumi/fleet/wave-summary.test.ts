import { describe, expect, test } from "vitest";
import {
  countResults,
  describeWave,
  nameWave,
  replaceResults,
  summarizeWave,
  type WaveSummary,
} from "../../../../src/pulumi/fleet/wave-summary";

const place = { wave: 2, of: 3 };
const runStartMs = 1_000_000;
/** A change that ended this many milliseconds after the run began. */
const ended = (afterMs: number, seconds: number) => ({ endMs: runStartMs + afterMs, seconds });

describe("summing up a wave", () => {
  test("compares with the run's beginning to tell what it changed", () => {
    const hosts = [
      { name: "at once", lastChange: ended(0, 0) },
      { name: "later", lastChange: ended(4_000, 2.5) },
      { name: "before", lastChange: ended(-1, 9) },
    ];
    expect(summarizeWave(place, hosts, runStartMs).hosts).toEqual([
      { host: "at once", result: "changed", seconds: 0 },
      { host: "later", result: "changed", seconds: 2.5 },
      { host: "before", result: "unchanged" },
    ]);
  });

  test("a host that failed has failed, in whatever run, and says why", () => {
    const hosts = [
      { name: "now", lastChange: ended(4_000, 2), failure: "no way in" },
      { name: "before", lastChange: ended(-9_000, 3), failure: "ill" },
    ];
    expect(summarizeWave(place, hosts, runStartMs).hosts).toEqual([
      { host: "now", result: "failed", seconds: 2, failure: "no way in" },
      { host: "before", result: "failed", seconds: 3, failure: "ill" },
    ]);
  });

  test.each([
    ["one change", [ended(5_000, 2)], 2],
    ["changes side by side", [ended(5_000, 4), ended(6_000, 4)], 5],
    ["a short one within a long one", [ended(9_000, 8), ended(4_000, 1)], 8],
    ["one after the other, with a gap", [ended(2_000, 1), ended(9_000, 2)], 8],
    ["none in this run", [ended(-1, 7), ended(-5_000, 2)], 0],
    ["one that ended as the run began", [ended(0, 2), ended(5_000, 1)], 7],
    ["some of an earlier run", [ended(-5_000, 7), ended(5_000, 2)], 2],
    ["fractions, rounded to a tenth", [ended(5_040, 2.1), ended(5_070, 2.2)], 2.2],
  ])("takes from the beginning of its first change to the end of its last: %s", (_what, changes, seconds) => {
    const hosts = changes.map((lastChange, index) => ({ name: `h${index}`, lastChange }));
    expect(summarizeWave(place, hosts, runStartMs)).toMatchObject({ ...place, seconds });
  });

  test("counts the time of a try that failed in this run", () => {
    const hosts = [{ name: "a", lastChange: ended(5_000, 2), failure: "ill" }];
    expect(summarizeWave(place, hosts, runStartMs).seconds).toBe(2);
  });
});

const summary: WaveSummary = {
  ...place,
  seconds: 12.34,
  hosts: [
    { host: "a", result: "changed", seconds: 3 },
    { host: "longest", result: "unchanged" },
    { host: "bb", result: "failed", seconds: 101.25, failure: "the gate stayed shut" },
    { host: "c", result: "undone", seconds: 0.4 },
    { host: "d", result: "undone", seconds: 0.5 },
  ],
};

test("counts the hosts' results", () => {
  const results = ["changed", "unchanged", "failed", "undone"] as const;
  expect(results.map((result) => countResults(summary, result))).toEqual([1, 1, 1, 2]);
});

test("puts later results in the place of earlier ones, and leaves the rest and the order", () => {
  const by = [
    { host: "bb", result: "changed", seconds: 4 },
    { host: "a", result: "undone", seconds: 1 },
    { host: "not here", result: "failed" },
  ] as const;
  const replaced = replaceResults(summary, by);
  expect(replaced).toEqual({
    ...summary,
    hosts: [by[1], summary.hosts[1], by[0], summary.hosts[3], summary.hosts[4]],
  });
  expect(replaceResults(summary, [])).toEqual(summary);
});

describe("writing a wave for a person", () => {
  test("has a line for the wave and one for each host, in columns, without spaces at the end", () => {
    expect(describeWave(summary)).toEqual([
      "wave 2 of 3: 1 changed, 1 unchanged, 1 failed, 2 undone in 12.3 s",
      "  a        changed      3.0 s",
      "  longest  unchanged",
      "  bb       failed     101.3 s  the gate stayed shut",
      "  c        undone       0.4 s",
      "  d        undone       0.5 s",
    ]);
  });

  test("leaves out results that no host has", () => {
    const hosts = [{ host: "a", result: "unchanged" } as const];
    expect(describeWave({ ...summary, seconds: 0, hosts })).toEqual([
      "wave 2 of 3: 1 unchanged in 0.0 s",
      "  a  unchanged",
    ]);
  });

  test("names a wave by its place", () => {
    expect(nameWave({ wave: 1, of: 12 })).toBe("wave 1 of 12");
  });
});
