import { join } from "node:path";
import { expect, test } from "vitest";
import { describeRules } from "../../../src/lint/describe";
import { lintRules } from "../../../src/lint/lint";

const page = join(__dirname, "..", "..", "..", "docs", "lint.md");

test("docs/lint.md is what describeRules writes", async () => {
  await expect(describeRules()).toMatchFileSnapshot(page);
});

test("each rule has an id of its own, a reason and a remedy, each in whole sentences", () => {
  expect(new Set(lintRules.map(({ id }) => id)).size).toBe(lintRules.length);
  for (const { id, why, fix } of lintRules) {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(why).toMatch(/^[A-Za-z].{20,}\.$/);
    expect(fix).toMatch(/^[A-Z].{8,}\.$/);
  }
});

test("the page has one section for each rule, and the table links to it", () => {
  const text = describeRules();
  const sections = [...text.matchAll(/^## (.*)$/gm)].map(([, id]) => id);
  expect(sections).toEqual(lintRules.map(({ id }) => id));
  for (const id of sections) expect(text).toContain(`| [${id}](#${id}) |`);
});
