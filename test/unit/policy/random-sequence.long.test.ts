import { expect, test } from "vitest";
import { lintPolicy } from "../../../src/lint/lint";
import { avoidedPorts } from "../../../src/policy/random-sequence";
import { readPolicy } from "./read-policy";

test("a random sequence takes no port that the linter knows something about", () => {
  const blocks = 22_768 / 16;
  const known = Array.from({ length: blocks }, (_, block) => {
    const steps = Array.from({ length: 16 }, (_step, index) => ({ tcp: 10_000 + block + blocks * index }));
    const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps } };
    return lintPolicy(readPolicy({ name: "edge", gates: [gate] })).flatMap(({ rule, path }) => {
      const index = /steps\[(\d+)\]/.exec(path)?.[1];
      return rule.startsWith("step-") && index !== undefined ? [10_000 + block + blocks * Number(index)] : [];
    });
  }).flat();
  expect(known).toContain(27_017);
  expect(known.filter((port) => !avoidedPorts.has(port))).toEqual([]);
});
