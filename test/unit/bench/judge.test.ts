import { describe, expect, test } from "vitest";
import { compareResults, confirmRegressions, describeComparisons } from "../../../bench/compare";
import type { Figure, Goal, Series } from "../../../bench/figure";
import { judgeFigure, type Result } from "../../../bench/judge";
import { measureRounds } from "../../../bench/rounds";
import { renderVerdicts } from "../../../bench/table";

const place = (subject: string) => ({ quantity: "time", scenario: "", subject });

function figure(goals: readonly Goal[] = []): Figure {
  const run = () => Promise.reject(new Error("not run"));
  const rounds = { quick: 1, full: 1 };
  return {
    name: "one",
    title: "One",
    method: "",
    references: ["peer"],
    ours: ["ours"],
    rounds,
    goals,
    charts: [],
    run,
  };
}

/** One sample for each round, each a little off, in the same way in every run. */
function series(subject: string, value: number, more: Partial<Series> = {}): Series {
  const samples = Array.from({ length: 40 }, (_, round) => value * (1 + (round % 5) / 1_000));
  return { ...place(subject), unit: "ms", samples, ...more };
}

function judge(list: readonly Series[], goals: readonly Goal[] = []): Result {
  return judgeFigure(figure(goals), { series: list }, { rounds: 40, seconds: 1 });
}

describe("a goal", () => {
  const goals: readonly Goal[] = [
    { claim: "no slower", of: place("ours"), to: place("peer"), atMost: 1.05, why: "it does more" },
    { claim: "ten times", of: place("peer"), to: place("ours"), atLeast: 10 },
    { claim: "in time", of: place("ours"), atMost: 20 },
    { claim: "elsewhere", of: place("nobody"), to: place("peer"), atMost: 1 },
  ];

  test.each([
    [10, 10, ["met", "missed", "met", "unmeasured"]],
    [11, 10, ["missed", "missed", "met", "unmeasured"]],
    [1, 10, ["met", "met", "met", "unmeasured"]],
    [21, 20, ["met", "missed", "missed", "unmeasured"]],
  ])("is met or missed as %d to %d is", (ours, peer, verdicts) => {
    const result = judge([series("ours", ours), series("peer", peer)], goals);
    expect(result.verdicts.map(({ verdict }) => verdict)).toEqual(verdicts);
  });

  test("that is missed says why, and whether noise explains it", () => {
    const noisy = series("ours", 10.6);
    const again = series("ours, again", 12);
    const table = renderVerdicts(judge([noisy, again, series("peer", 10)], goals).verdicts);
    expect(table).toContain(
      "| no slower | ≤ 1.05 | 1.06 | 1.132 | **missed**, but by less than the noise: it does more |",
    );
    expect(table).toContain("| elsewhere | ≤ 1 |  |  | unmeasured |");
    const unexplained = goals.map(({ why: _, ...goal }) => goal);
    expect(renderVerdicts(judge([noisy, again, series("peer", 10)], unexplained).verdicts)).toContain(
      "| no slower | ≤ 1.05 | 1.06 | 1.132 | **missed**, but by less than the noise |",
    );
  });
});

test("a ratio compares samples of the same round, in which the machine was equally fast for both", () => {
  const slow = [1, 10, 1, 1, 10, 10, 10, 1, 20, 10];
  // Twice as long in most rounds, and equally long in the rounds where the machine had its usual speed.
  const ours = slow.map((value, round) => (round === 1 || round === 4 ? value : 2 * value));
  const [row] = judge([series("ours", 0, { samples: ours }), series("peer", 0, { samples: slow })]).rows;
  expect(row?.ratios["peer"]?.value).toBe(2);
});

describe("a comparison with an earlier run", () => {
  const run = (ours: number, more: Partial<Series> = {}) => {
    return judge([series("ours", ours, more), series("peer", 10, more), series("third", ours, more)]);
  };
  const compare = (stored: Result, now: Result) => compareResults([figure()], [stored], [now]);

  test("finds what is worse by more than noise, among what is Knockgate's own", () => {
    const comparisons = compare(run(10), run(11));
    expect(comparisons).toMatchObject([{ figure: "one", place: "time, ours, of peer", isRegression: true }]);
    expect(describeComparisons(comparisons)).toMatch(
      /^regression: one: time, ours, of peer: 1\.00 -> 1\.10, 1\.100 times worse; .*\n1 ratios compared, 1 regressions$/,
    );
  });

  test("finds nothing where it is the same, or better, or worse by less than both runs' noise", () => {
    expect(compare(run(10), run(10))).toMatchObject([{ isRegression: false }]);
    expect(compare(run(10), run(9))).toMatchObject([{ isRegression: false }]);
    const noisy = judge([series("ours", 10), series("ours, again", 10.6), series("peer", 10)]);
    expect(compare(noisy, run(10.5))).toMatchObject([{ isRegression: false }]);
    expect(compare(run(10), noisy)).toMatchObject([{ isRegression: false }]);
  });

  test("keeps a regression that the second measurement confirms, and one that was not measured again", () => {
    const [worse, same] = [compare(run(10), run(11)), compare(run(10), run(10))];
    const isRegression = (again: typeof worse, first = worse) => {
      return confirmRegressions(first, again).map((each) => each.isRegression);
    };
    expect(isRegression(worse)).toEqual([true]);
    expect(isRegression([])).toEqual([true]);
    expect(isRegression(same)).toEqual([false]);
    expect(isRegression(worse, same)).toEqual([false]);
  });

  test("knows where more is better", () => {
    const more = { isMoreBetter: true };
    expect(compare(run(10, more), run(9, more))).toMatchObject([{ isRegression: true }]);
    expect(compare(run(10, more), run(11, more))).toMatchObject([{ isRegression: false }]);
  });

  test("leaves out what has no known noise, and what only one of the runs has", () => {
    const few = { samples: [10, 10, 10] };
    expect(compare(run(10, few), run(20, few))).toEqual([]);
    expect(compare(run(10), run(20, { scenario: "another" }))).toEqual([]);
    expect(compareResults([figure()], [], [run(20)])).toEqual([]);
  });

  test("reads what JSON made of the earlier run", () => {
    const stored = JSON.parse(JSON.stringify([run(10), run(10, { samples: [1, 2] })]));
    expect(compareResults([figure()], stored, [run(11)])).toMatchObject([{ isRegression: true }]);
  });
});

test("subjects are measured in turns, each round in another order, each run in the same orders", async () => {
  const play = async () => {
    const calls: string[] = [];
    const subject = (name: string, times?: number) => ({
      name,
      ...(times === undefined ? {} : { times }),
      measure: async (round: number) => {
        calls.push(`${round}${name}`);
        return [calls.length, -calls.length];
      },
    });
    const measured = await measureRounds([subject("a"), subject("b"), subject("c", 2)], {
      quantities: [
        { name: "time", unit: "ms" },
        { name: "rate", unit: "/s", isMoreBetter: true },
      ],
      scenario: "all",
      rounds: 20,
      warmUp: 2,
      again: "b",
    });
    return { calls, measured };
  };
  const { calls, measured } = await play();
  expect((await play()).calls).toEqual(calls);
  // Five turns in each of 22 rounds: a, b, b again, and c twice.
  const orders = Array.from({ length: 22 }, (_, round) => calls.slice(5 * round, 5 * round + 5));
  for (const [index, order] of orders.entries()) {
    expect([...order].sort()).toEqual(["a", "b", "b", "c", "c"].map((name) => `${index - 2}${name}`));
  }
  expect(new Set(orders.map((order) => order.map((call) => call.slice(-1)).join(""))).size).toBeGreaterThan(
    5,
  );
  expect(measured.map(({ subject, quantity, samples }) => [subject, quantity, samples.length])).toEqual([
    ["a", "time", 20],
    ["a", "rate", 20],
    ["b", "time", 20],
    ["b", "rate", 20],
    ["c", "time", 40],
    ["c", "rate", 40],
    ["b, again", "time", 20],
    ["b, again", "rate", 20],
  ]);
  expect(
    measured
      .flatMap(({ quantity, samples }) => (quantity === "time" ? samples : []))
      .every((one) => one > 10),
  ).toBe(true);
});
