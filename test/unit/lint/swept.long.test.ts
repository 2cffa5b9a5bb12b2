import { describe, expect, test } from "vitest";
import { lintPolicy } from "../../../src/lint/lint";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../policy/read-policy";
import { sweepAccepted, sweepUntilOpen } from "./swept";

const isDeep = process.env["KNOCKGATE_DEEP"] === "1";
const seed = Number(process.env["KNOCKGATE_SEED"] ?? Date.now() % 2 ** 31);
const policyCount = isDeep ? 10_000 : 300;

test("none of thousands of sweeps opens, in the model, a gate in which the linter finds nothing", {
  timeout: 1_800_000,
}, () => {
  const begin = performance.now();
  const opened = sweepAccepted(policyCount, 8, seed);
  const seconds = ((performance.now() - begin) / 1_000).toFixed(1);
  console.info(`${policyCount * 8} sweeps of accepted policies, seed ${seed}, ${seconds} s`);
  expect(opened).toEqual([]);
});

type Steps = NonNullable<PolicyInput["gates"][number]["knock"]["steps"]>;

const tcp = (...ports: readonly number[]): Steps => ports.map((port) => ({ tcp: port }));
const udp = (...ports: readonly number[]): Steps => ports.map((port) => ({ udp: port }));
const echo = (...sizes: readonly number[]): Steps => sizes.map((icmpPayloadBytes) => ({ icmpPayloadBytes }));
const sized = (...sizes: readonly number[]): Steps =>
  sizes.map((udpPayloadBytes) => ({ udp: 20_005, udpPayloadBytes }));

describe("the same sweeps open, in the model, what the linter objects to", () => {
  test.each<readonly [string, Steps, boolean]>([
    ["ascending neighbours", tcp(20_003, 20_004, 20_005), true],
    ["descending neighbours", udp(20_005, 20_004, 20_003), true],
    ["one step three times, by TCP", tcp(20_003, 20_003, 20_003), true],
    ["one step three times, by UDP", udp(20_003, 20_003, 20_003), true],
    ["two steps, twice each", tcp(20_003, 20_003, 20_004, 20_004), true],
    ["neighbours in two protocols", [...tcp(20_003), ...udp(20_003), ...tcp(20_004)], true],
    ["neighbours with another step in between", tcp(20_003, 20_008, 20_004), true],
    ["the same port with another step in between", tcp(20_008, 20_003, 20_008), true],
    ["sizes of datagrams in order", sized(5, 6, 7), true],
    ["sizes of echo requests in order", echo(50, 51, 52, 53), true],
    ["sizes of echo requests at equal distances", echo(45, 50, 55), true],
    ["ports at equal distances", tcp(20_000, 20_010, 20_020), true],
    ["ascending, not strict", tcp(20_001, 20_007, 20_013), false],
    ["up and down, not strict", tcp(20_007, 20_013, 20_001), false],
    ["TCP and then UDP, not strict", [...tcp(20_001, 20_013), ...udp(20_007)], false],
  ])("%s", (_, steps, strict) => {
    const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps, strict } };
    const policy = readPolicy({ name: "swept", gates: [gate] });
    expect(lintPolicy(policy).filter(({ rule }) => rule !== "low-entropy")).not.toEqual([]);
    expect(sweepUntilOpen(policy, 5_000, 1)).toBe(true);
  });
});
