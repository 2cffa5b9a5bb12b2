import { expect, test } from "vitest";
import { estimateProofSeconds, limitCommandMs } from "../../../src/change/duration";
import { readPolicy } from "../policy/read-policy";

const steps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const gate = (name: string, protect: { tcp?: string; udp?: string }[]) => ({
  name,
  protect,
  knock: { steps },
});

test("a proof takes longer with each gate, and twice as long where a gate has both protocols", () => {
  const one = readPolicy({ name: "edge", gates: [gate("a", [{ tcp: "22" }])] });
  const two = readPolicy({
    name: "edge",
    gates: [gate("a", [{ tcp: "22" }]), gate("b", [{ tcp: "23" }, { udp: "23" }])],
  });
  expect(estimateProofSeconds(one)).toBeCloseTo(2.75);
  expect(estimateProofSeconds(two)).toBeCloseTo(4.25);
});

test("a command may take longer with a longer ruleset", () => {
  expect(limitCommandMs("")).toBe(30_000);
  expect(limitCommandMs("x".repeat(5_000_000))).toBe(130_000);
});
