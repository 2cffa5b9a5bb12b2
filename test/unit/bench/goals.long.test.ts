import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { figures } from "../../../bench/figures";
import type { Results } from "../../../bench/report";
import { root } from "../../../bench/root";

test("each stored goal missed by more than the noise says why, in today's words", () => {
  const { results }: Results = JSON.parse(readFileSync(join(root, "bench", "results.json"), "utf8"));
  const unexplained = results.flatMap(({ name, verdicts }) => {
    const goals = figures.find((figure) => figure.name === name)?.goals ?? [];
    return verdicts
      .filter(({ verdict, isCertain }) => verdict === "missed" && isCertain)
      .flatMap(({ claim }) => goals.filter((goal) => goal.claim === claim && goal.why === undefined));
  });
  expect(unexplained).toEqual([]);
});
