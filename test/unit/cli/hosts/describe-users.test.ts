import { describe, expect, test } from "vitest";
import { describeUsers, findTokenTrouble, listUserRows } from "../../../../src/cli/hosts/describe-users";
import type { ObservedUser } from "../../../../src/host/tokens";

const now = Date.UTC(2026, 10, 29, 12) / 1_000;
const week = 7 * 86_400;
const ada: ObservedUser = {
  gate: "ssh",
  user: "ada",
  from: now - 60,
  until: now + week,
  opened: 3,
  last: { from: now - 7_200, to: now - 3_600 },
};
const of = (...users: ObservedUser[]) => ({ digest: "0", host: "edge.test", until: 0, users });

describe("what is said of users", () => {
  test("is how often, when last, and until when", () => {
    const { last: _, ...never } = { ...ada, user: "ci", opened: 0 };
    expect(describeUsers(of(ada, never, { ...never, user: "bob", opened: 1, until: 0 }))).toEqual([
      "user ada at gate ssh: 3 doors opened, the last one between 2026-11-29 10:00 UTC and 2026-11-29 11:00 UTC; tokens until 2026-12-06 12:00 UTC",
      "user ci at gate ssh: 0 doors opened; tokens until 2026-12-06 12:00 UTC",
      "user bob at gate ssh: 1 door opened; no tokens now",
    ]);
  });

  test("is the same for programs", () => {
    const { last: _, ...never } = { ...ada, until: 0 };
    expect(listUserRows(of(ada, never))).toEqual([
      {
        gate: "ssh",
        user: "ada",
        opened: 3,
        lastFrom: "2026-11-29T10:00:00.000Z",
        lastTo: "2026-11-29T11:00:00.000Z",
        tokensFrom: "2026-11-29T11:59:00.000Z",
        tokensUntil: "2026-12-06T12:00:00.000Z",
      },
      { gate: "ssh", user: "ada", opened: 3 },
    ]);
  });
});

test.each<[string, Partial<ObservedUser>, readonly (string | RegExp)[]]>([
  ["is in order", {}, []],
  ["was filled some days ago", { until: now + week / 2 - 1 }, [/only until .*nothing fills/]],
  ["was filled an hour ago", { until: now + week - 3_600 }, []],
  ["has nothing", { until: 0 }, [/^user ada at gate ssh has no tokens on the host/]],
  ["was rebooted", { from: now + week, until: now + 2 * week }, [/lost tokens .*2026-12-06 12:00 UTC on/]],
])("a host that %s", (_, more, warnings) => {
  expect(findTokenTrouble(of({ ...ada, ...more }), now, week)).toEqual(
    warnings.map((words) => expect.stringMatching(words)),
  );
});
