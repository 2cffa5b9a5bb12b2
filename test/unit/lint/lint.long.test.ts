import { expect, test } from "vitest";
import { lintPolicy } from "../../../src/lint/lint";
import { readPolicy } from "../policy/read-policy";

const steps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];

// A pairwise comparison would take many minutes in both cases.
test("65,536 prefixes that together are all of IPv4 are found to be so within a test's time", () => {
  const allowFrom = Array.from({ length: 65_536 }, (_, index) => `${index >> 8}.${index & 255}.0.0/16`);
  const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }];
  const policy = readPolicy({ name: "edge", gates, allowFrom });
  expect(lintPolicy(policy).map(({ rule, path }) => [rule, path])).toEqual([
    // 169.254.0.0/16 is among them.
    ["allowed-link-local", "allowFrom[43518]"],
    ["allowed-too-wide", "allowFrom"],
  ]);
});

test("500 gates with one knock have a finding each within a test's time, and each names three others", () => {
  const gates = Array.from({ length: 500 }, (_, index) => {
    return { name: `gate${index}`, protect: [{ tcp: `${index + 1}` }], knock: { steps } };
  });
  const policy = readPolicy({ name: "edge", gates });
  const found = lintPolicy(policy);
  expect(found.map(({ path }) => path)).toEqual(
    gates.slice(1).map((_, index) => `gates[${index + 1}].knock`),
  );
  expect(found.at(-1)?.message).toMatch(
    /^opens gates "gate0", "gate1", "gate2" and others as well\. Whoever sends/,
  );
});
