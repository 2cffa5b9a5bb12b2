import fc from "fast-check";
import { expect, test } from "vitest";
import { renderRedacted } from "../../../src/backends/redact";
import { explainPolicy } from "../../../src/explain/explanation";
import { parsePolicy } from "../../../src/policy/parse";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import { policyInput } from "../arbitraries";
import { runs } from "../runs";

function read(input: PolicyInput): Policy {
  const reading = parsePolicy(input);
  if (reading.kind === "wrong") throw new Error(JSON.stringify(reading.findings));
  return reading.policy;
}

test("steps and ruleset have the labels of a preview, and each step's lines have its label", () => {
  fc.assert(
    fc.property(policyInput(), fc.string({ minLength: 1 }), (input, key) => {
      const policy = read(input);
      const { ruleset, gates, findings } = explainPolicy(policy, { key });
      // This policy has no ruleset.
      fc.pre(!findings.some(({ rule }) => rule === "equal-echo-steps"));
      expect(ruleset.map(({ text }) => `${text}\n`).join("")).toBe(renderRedacted(policy, key));
      for (const { lines, meaning } of gates.flatMap(({ steps }) => steps)) {
        const labels = meaning.match(/<[^>]*>/g) ?? [];
        expect(labels.length).toBeGreaterThan(0);
        expect(lines.length).toBeGreaterThan(0);
        const withLabels = ruleset.filter(({ text }) => labels.some((label) => text.includes(label)));
        expect(withLabels.map(({ number }) => number)).toEqual(lines);
      }
    }),
    runs(6),
  );
});

test("each part has a path of its own, and its lines are lines of the ruleset", () => {
  fc.assert(
    fc.property(policyInput(), (input) => {
      const { ruleset, gates, sources, settings } = explainPolicy(read(input), { key: "k" });
      const parts = [...gates.flatMap((gate) => gate.parts), ...sources, ...settings];
      expect(new Set(parts.map(({ path }) => path)).size).toBe(parts.length);
      for (const { path, lines } of parts) {
        expect(ruleset.filter(({ paths }) => paths.includes(path)).map(({ number }) => number)).toEqual(
          lines,
        );
      }
      for (const { parts: own, lines } of gates) {
        expect(lines).toEqual(expect.arrayContaining(own.flatMap((part) => part.lines)));
      }
    }),
    runs(6),
  );
});

test.each([
  [{}, "never needs to knock: nobody", "never passes: nobody"],
  [{ allowFrom: ["192.0.2.0/24"] }, "never needs to knock: 192.0.2.0/24", "never passes: nobody"],
  [
    { denyFrom: ["192.0.2.7", "2001:db8::/32"] },
    "never needs to knock: nobody",
    "never passes: 192.0.2.7, 2001:db8::/32: every door stays closed, and no knock counts",
  ],
])("who passes without a knock with %j", (more, ...expected) => {
  const knock = { steps: [{ tcp: 41_873 }, { udp: 22_719 }] };
  const policy = read({ name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock }], ...more });
  const { sources } = explainPolicy(policy, { key: "k" });
  expect(sources.map(({ name, meaning }) => `${name}: ${meaning}`)).toEqual(expected);
});
