import { expect, test } from "vitest";
import { explainCounters } from "../../../src/diagnose/explain-counts";
import type { GateCounts } from "../../../src/policy/counts";
import { edge, readPolicy } from "../policy/read-policy";

const policy = readPolicy(edge);
const counts = (opened: number, accepted: number, dropped: number, reset: number): GateCounts => {
  return { opened, accepted, dropped, reset };
};
const explain = (before: GateCounts | undefined, after: GateCounts | undefined) => {
  const [earlier, later] = [before, after].map((each) => new Map(each === undefined ? [] : [["ssh", each]]));
  return explainCounters(policy, earlier ?? new Map(), later ?? new Map());
};

test.each<readonly [GateCounts, string]>([
  [counts(6, 7, 8, 9), "0 opened, 0 accepted, 0 dropped, 0 reset: nothing arrived at the protected ports"],
  [counts(7, 8, 9, 9), "1 opened, 1 accepted, 1 dropped, 0 reset: a connection came through the open door"],
  [
    counts(7, 7, 8, 9),
    "1 opened, 0 accepted, 0 dropped, 0 reset: a knock opened the door, and no connection came",
  ],
  [
    counts(7, 7, 9, 9),
    "1 opened, 0 accepted, 1 dropped, 0 reset: a knock opened the door, and connections were dropped",
  ],
  [
    counts(6, 7, 9, 10),
    "0 opened, 0 accepted, 1 dropped, 1 reset: a knock began, and another packet put it back",
  ],
  [
    counts(6, 7, 10, 9),
    "0 opened, 0 accepted, 2 dropped, 0 reset: connections arrive and are dropped, and no knock was completed: a step was lost, late or wrong",
  ],
  [counts(0, 0, 0, 0), "the counters began again at 0, because the ruleset was loaded: knock again"],
])("%j, after other counts, is said as %j", (after, words) => {
  const [line, ...more] = explain(counts(6, 7, 8, 9), after);
  expect(line?.slice(0, `ssh: ${words}`.length)).toBe(`ssh: ${words}`);
  expect(more).toEqual([]);
});

test("counts that iptables does not have are not mentioned", () => {
  const before = { accepted: 0, dropped: 0 };
  expect(explain(before, { accepted: 0, dropped: 2 })).toEqual([
    "ssh: 0 accepted, 2 dropped: connections arrive and are dropped; this backend does not count knocks, so capture the packets",
  ]);
});

test("a gate without counters on the host is reported as such", () => {
  const words = "ssh: the host has no counters for it: `pulumi refresh` says what the host has";
  expect(explain(undefined, counts(0, 0, 0, 0))).toEqual([words]);
  expect(explain(counts(0, 0, 0, 0), undefined)).toEqual([words]);
});
