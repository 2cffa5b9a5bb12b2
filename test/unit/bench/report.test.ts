import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Figure } from "../../../bench/figure";
import { judgeFigure, type Result } from "../../../bench/judge";
import { keepResults, writePages, writeResults } from "../../../bench/keep";
import { type Results, renderReport } from "../../../bench/report";

const place = (subject: string) => ({ quantity: "time", scenario: "", subject });
const figure: Figure = {
  name: "one",
  title: "One",
  method: "By a clock.",
  references: ["peer"],
  ours: ["ours"],
  rounds: { quick: 1, full: 1 },
  goals: [
    { claim: "explained", of: place("ours"), atMost: 1, why: "it does more" },
    { claim: "unexplained", of: place("ours"), atMost: 1 },
    { claim: "met", of: place("ours"), atMost: 3, why: "never said" },
  ],
  charts: [{ quantity: "time", title: "Time" }],
  run: () => Promise.reject(new Error("not run")),
};

function resultsOf(mode: Results["mode"], failures: Results["failures"] = {}): Results {
  const series = [{ ...place("ours"), unit: "s", samples: [2] }];
  const results = [judgeFigure(figure, { series }, { rounds: 1, seconds: 5 })];
  return { mode, facts: { node: "20" }, results, failures };
}

test("a quick run's report says so at its head and at each figure, and a full one's does not", () => {
  const [quick, full] = (["quick", "full"] as const).map((mode) => {
    return renderReport([figure], resultsOf(mode), "figures");
  });
  expect(quick).toContain("From one **quick run**, `npm run bench -- --quick`");
  expect(quick).toContain("`npm run bench -- --quick --only one`, 1 rounds, 5 s.");
  expect(full).not.toMatch(/quick/);
  expect(full).toContain("`npm run bench -- --only one`, 1 rounds, 5 s.");
});

test("a goal that is missed says why, or that nobody knows; first of all, and at its figure", () => {
  const report = renderReport([figure], resultsOf("full", { two: "no host" }), "figures");
  expect(report).toContain("Of 3 goals 1 are met, 2 are missed, and 0 were not measured in this run.");
  expect(report).toContain("| One: explained | ≤ 1 | 2.00 |  | **missed**: it does more |");
  expect(report).toContain("| One: unexplained | ≤ 1 | 2.00 |  | **missed**: why is not known |");
  expect(report).toContain("| unexplained | ≤ 1 | 2.00 |  | **missed**: why is not known |");
  expect(report).not.toContain("never said");
  expect(report).toContain("## two: not measured\n\nno host");
});

test("what is not a full run of everything is kept only where it is told to", () => {
  const folder = mkdtempSync(join(tmpdir(), "knockgate-bench-"));
  const [out, repository] = [join(folder, "out"), join(folder, "repository")];
  const keep = (where: string | undefined, isWhole: boolean) => {
    return keepResults([figure], resultsOf("quick"), where, isWhole, repository);
  };
  try {
    expect(keep(undefined, false)).toEqual([]);
    const names = ["RESULTS.md", "results.json", "figures/one-light.svg", "figures/one-dark.svg"];
    expect(keep(out, true)).toEqual(names.map((name) => join(out, name)));
    expect(JSON.parse(readFileSync(join(out, "results.json"), "utf8"))).toMatchObject({ mode: "quick" });
    expect(readdirSync(folder)).toEqual(["out"]);
    keep(undefined, true);
    expect(readdirSync(join(repository, "bench")).sort()).toEqual(["RESULTS.md", "results.json"]);
    expect(readdirSync(join(repository, "docs", "figures"))).toHaveLength(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a full run writes its figure's part of a page, and leaves the rest of the page as it was", () => {
  const folder = mkdtempSync(join(tmpdir(), "knockgate-bench-"));
  const page = { file: "page.md", render: (result: Result) => `It took ${result.seconds} s for $1.` };
  const write = (mode: Results["mode"]) => writePages([{ ...figure, page }, figure], resultsOf(mode), folder);
  const file = join(folder, page.file);
  try {
    writeFileSync(file, "# Page\n\n<!-- one -->\nold\n<!-- /one -->\n\nThe end.\n");
    expect(write("quick")).toEqual([]);
    expect(readFileSync(file, "utf8")).toContain("old");
    for (const _ of ["once", "again"]) {
      expect(write("full")).toEqual([file]);
      const part = "<!-- one -->\n\nIt took 5 s for $1.\n\n<!-- /one -->";
      expect(readFileSync(file, "utf8")).toBe(`# Page\n\n${part}\n\nThe end.\n`);
    }
    writeFileSync(file, "# Page\n");
    expect(() => write("full")).toThrow("has no place for one");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a run is kept as JSON with one row a line", () => {
  const results = resultsOf("full");
  const text = writeResults(results);
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(results)));
  const rows = results.results.flatMap((result) => result.rows);
  expect(text.split("\n").filter((line) => line.includes('"quantity"'))).toHaveLength(rows.length);
});
