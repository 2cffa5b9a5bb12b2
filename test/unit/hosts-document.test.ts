import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readHosts, renderHead, renderHosts } from "../suites/hosts/document";
import { matrix } from "../suites/hosts/matrix";
import { type HostRow, sections } from "../suites/hosts/row";

const row: HostRow = { id: "a", section: "Deployers", on: "Node 20", act: "one `up`" };

test("a row tells what was found, or that it was not run", () => {
  const found = { versions: "npm 10.8", result: "the gate opens", openMs: 0 };
  expect(renderHosts([row], () => found)).toContain(
    "| Node 20 | one `up` | npm 10.8 | the gate opens | 0 ms |\n",
  );
  expect(renderHosts([row], () => undefined)).toContain("| Node 20 | one `up` | not run | | |\n");
});

test("a document says the same after it was read and written again", () => {
  const document = readFileSync(join(__dirname, "..", "..", "docs", "hosts.md"), "utf8");
  const found = readHosts(document);
  expect(found.size).toBeGreaterThan(200);
  expect(renderHosts(matrix, (one) => found.get(renderHead(one)))).toBe(document);
});

test("a row that was not run is read as such", () => {
  expect(readHosts(renderHosts([row], () => undefined)).size).toBe(0);
});

test("each row has a name of its own, and a section", () => {
  expect(new Set(matrix.map(({ id }) => id)).size).toBe(matrix.length);
  expect(matrix.filter(({ id }) => !/^[a-z0-9-]+$/.test(id))).toEqual([]);
  expect(matrix.filter(({ section }) => !sections.includes(section))).toEqual([]);
});

test("docs/hosts.md tells of each row of the matrix, and of no other", () => {
  const document = readFileSync(join(__dirname, "..", "..", "docs", "hosts.md"), "utf8");
  const heads = document
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| on |") && !line.startsWith("| ---"));
  const expected = sections.flatMap((section) =>
    matrix.filter((one) => one.section === section).map(renderHead),
  );
  expect(heads.map((line, index) => line.slice(0, expected[index]?.length))).toEqual(expected);
});
