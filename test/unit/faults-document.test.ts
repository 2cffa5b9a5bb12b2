import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { matrix } from "../suites/faults/matrix";
import { renderHead } from "../suites/faults/report";

const document = readFileSync(join(__dirname, "..", "..", "docs", "faults.md"), "utf8");

test("docs/faults.md tells of each row of the matrix, and of no other", () => {
  const heads = document.split("\n").flatMap((line) => /^\| `.*?` \| .*? \|/.exec(line)?.[0] ?? []);
  expect(heads).toEqual(matrix.map(renderHead));
});

test("each row of the matrix has a name of its own", () => {
  expect(new Set(matrix.map(({ id }) => id)).size).toBe(matrix.length);
});
