import { describe, expect, test } from "vitest";
import { describeUsers, findTokenTrouble, listUserFields } from "../../../../src/cli/hosts/describe-users";
import type { LoggedOpenings, ObservedUser } from "../../../../src/host/tokens";

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
      "user ada at gate ssh: 3 doors opened, the last one between 2026-11-29 10:00 UTC and 2026-11-29 11:00 UTC (counter); tokens until 2026-12-06 12:00 UTC",
      "user ci at gate ssh: 0 doors opened; tokens until 2026-12-06 12:00 UTC",
      "user bob at gate ssh: 1 door opened; no tokens now",
    ]);
  });

  test("is the same for programs", () => {
    const { last: _, ...never } = { ...ada, until: 0 };
    expect(listUserFields(of(ada, never)).users).toEqual([
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

describe("what is said of users with a log", () => {
  const { last: _, ...never } = { ...ada, user: "ci", opened: 0 };
  const opening = {
    gate: "ssh",
    user: "ada",
    at: now - 5_400,
    source: "2001:0db8:0000:0000:0000:0000:0000:0007",
  };
  const elsewhere = { ...opening, gate: "wg", at: now, source: "192.0.2.9" };
  const logged: LoggedOpenings = { log: "journal", since: now - week, openings: [elsewhere, opening] };

  test("has the source of each figure, and how far back the log goes", () => {
    expect(describeUsers(of(ada, never), logged)).toEqual([
      "user ada at gate ssh: 3 doors opened, the last one between 2026-11-29 10:00 UTC and 2026-11-29 11:00 UTC (counter); last logged 2026-11-29 10:30:00 UTC from 2001:db8::7 (journal); tokens until 2026-12-06 12:00 UTC",
      "user ci at gate ssh: 0 doors opened; tokens until 2026-12-06 12:00 UTC",
      "the host's journal was read back to 2026-11-22 12:00 UTC",
    ]);
    const kernel = describeUsers(of(never), {
      ...logged,
      log: "kernel",
      openings: [{ ...opening, user: "ci" }],
    });
    expect(kernel).toEqual([
      expect.stringMatching(
        /^user ci .*: 0 doors opened; last logged .* from 2001:db8::7 \(kernel log\); tokens/,
      ),
      "the host's kernel log was read back to 2026-11-22 12:00 UTC",
    ]);
  });

  test("says so when the log can't be read, or has no time", () => {
    expect(describeUsers(of(never), { log: "none", openings: [] }).at(-1)).toMatch(
      /^the host's log can't be read/,
    );
    expect(describeUsers(of(never), { log: "kernel", openings: [] })).toHaveLength(1);
  });

  test("is the same for programs", () => {
    expect(listUserFields(of(ada, never), logged)).toMatchObject({
      users: [
        { user: "ada", loggedAt: "2026-11-29T10:30:00.000Z", loggedFrom: "2001:db8::7" },
        { user: "ci" },
      ],
      log: "journal",
      logSince: "2026-11-22T12:00:00.000Z",
    });
    expect(listUserFields(of(never), logged).users[0]).not.toHaveProperty("loggedAt");
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
