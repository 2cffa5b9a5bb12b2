import { describe, expect, test } from "vitest";
import { formatFindings, formatPath } from "../../../src/policy/finding";

describe("a path", () => {
  test.each([
    [[], "policy"],
    [["name"], "name"],
    [["gates", 0], "gates[0]"],
    [["gates", 10, "knock", "steps", 2, "tcp"], "gates[10].knock.steps[2].tcp"],
    [["allowFrom", 0], "allowFrom[0]"],
  ])("of %j is written %s", (path, text) => {
    expect(formatPath(path)).toBe(text);
  });
});

test("findings are written one a line, with their fix and rule", () => {
  const findings = [
    { path: "name", rule: "policy-shape", message: "is wrong.", fix: "Change it." },
    { path: "gates[0]", rule: "gate-name-taken", message: "is taken.", fix: "Take another." },
  ];
  expect(formatFindings(findings)).toBe(
    "name: is wrong. Fix: Change it. [policy-shape]\ngates[0]: is taken. Fix: Take another. [gate-name-taken]",
  );
  expect(formatFindings([])).toBe("");
});
