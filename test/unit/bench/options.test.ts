import { describe, expect, test } from "vitest";
import type { Figure } from "../../../bench/figure";
import { readOptions } from "../../../bench/options";

const figures = ["one", "two", "three"].map((name) => ({ name })) as Figure[];
const read = (...words: string[]) => {
  const { figures: chosen, ...rest } = readOptions(words, figures);
  return { ...rest, names: chosen.map(({ name }) => name) };
};
const all = ["one", "two", "three"];

describe("a run of the bench", () => {
  test("measures everything in full, and compares it with nothing, unless it is told otherwise", () => {
    expect(read()).toEqual({
      ...{ isQuick: false, isNamed: false, names: all },
      ...{ rounds: undefined, compareWith: undefined, out: undefined },
    });
    expect(read("--quick", "--out", "there")).toMatchObject({ isQuick: true, names: all, out: "there" });
  });

  test("measures only what is named, once, in the report's order", () => {
    expect(read("--only", "three,one,three").names).toEqual(["one", "three"]);
    expect(() => read("--only", "one,four")).toThrow("--only: four is none of one, two, three");
    expect(() => read("--only", "")).toThrow("--only:  is none of");
  });

  test("measures what is named in as many rounds as it is told", () => {
    expect(read("--only", "one", "--rounds", "200")).toMatchObject({ isNamed: true, rounds: 200 });
    for (const words of [
      ["--rounds", "200"],
      ...["0", "00", "2.5", "many"].map((n) => ["--only", "one", "--rounds", n]),
    ])
      expect(() => read(...words)).toThrow("--rounds: a number from 1 to 9999");
  });

  test("is compared with the repository's results, or with a file", () => {
    expect(read("--compare").compareWith).toMatch(/\/bench\/results\.json$/);
    expect(read("--only", "two", "--compare", "mine.json")).toMatchObject({
      names: ["two"],
      compareWith: "mine.json",
    });
  });

  test.each([[["mine.json"]], [["--compare", "mine.json", "yours.json"]], [["--quik"]], [["--only"]]])(
    "does not start with words that it does not know: %j",
    (words) => {
      expect(() => read(...words)).toThrow();
    },
  );
});
