import { expect, test } from "vitest";
import { play } from "../play";

const gate = (name: string, port: number) => ({
  name,
  protect: [{ tcp: port }],
  knock: { steps: [{ tcp: 41_003 }, { udp: 52_114 }, { tcp: 43_225 }] },
});
const policy = { name: "edge", gates: [gate("ssh", 22)] };

test("a policy may have 20,000 unknown fields, and is read within seconds, with one finding about them", async () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1]));
  const { out } = await play(["lint", "-"], { input: JSON.stringify({ ...policy, ...many }) });
  expect(out).toMatch(/policy: has 20000 fields that are not known/);
  expect(out).toMatch(/^errors: 1, /m);
});

// There are more findings, one for each pair of gates, than a call can have arguments.
test("a policy may have hundreds of gates with one knock", { timeout: 60_000 }, async () => {
  const gates = Array.from({ length: 500 }, (_, index) => gate(`g${index}`, 1_000 + index));
  const { exitCode, err } = await play(["lint", "-"], { input: JSON.stringify({ ...policy, gates }) });
  expect([exitCode, err]).toEqual([0, ""]);
});
