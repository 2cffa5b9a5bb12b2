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

test("a proof with tokens takes the time to see a used one fail, and a load that of its tokens", () => {
  const key = (name: string) => `${name}-${"4Kq9".repeat(10)}`;
  const make = (names: readonly string[], horizonDays: number) =>
    readPolicy({
      name: "edge",
      gates: [{ name: "a", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } }],
      users: names.map((name) => ({ name, key: key(name) })),
      tokens: { horizonDays },
    });
  // 1,443 tokens of a day, and 10,083 of a week.
  expect(estimateProofSeconds(make(["ada"], 1))).toBeCloseTo(4.45 + 0.2886);
  expect(estimateProofSeconds(make(["ada", "ben"], 7))).toBeCloseTo(4.45 + 4.0332);
});
