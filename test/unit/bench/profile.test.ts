import { expect, test } from "vitest";
import { renderFleet } from "../../../bench/profile/fleet-table";
import { listOwners, sumOwners } from "../../../bench/profile/owners";
import { renderPhases } from "../../../bench/profile/phase-table";
import { phaseNames } from "../../../bench/profile/phases";

test("a change's phases are medians, the longest first; what is done meanwhile has no share", () => {
  const spent = new Map<string, readonly number[]>([
    [phaseNames.knocks, [1, 2, 30]],
    [phaseNames.silence, [400, 401, 399]],
    [phaseNames.count, [7, 7, 7]],
    ["a command without a name", [50, 50, 50]],
  ]);
  expect(renderPhases(spent, [500, 490, 510]).split("\n").slice(2)).toEqual([
    "| wait for the closed gate's silence | 400 ms | 80 % | none: it proves no closed gate |",
    "| a command without a name | 50 ms | 10 % | none |",
    "| count the dropped packets, while the silence is waited for | (7 ms) |  | none |",
    "| knocks | 2 ms | 0 % | the same |",
    "| all | 500 ms |  |  |",
  ]);
});

test("a fleet's seconds are summed up, and Knockgate's excess is told for each host", () => {
  const rows = [
    { name: "hosts", floor: 1.5, ours: 7.25 },
    { name: "engine", floor: 1.5, ours: 1.25 },
  ];
  expect(renderFleet(rows, { floor: 4.5, ours: 9.5 }, 50).split("\n").slice(2)).toEqual([
    "| hosts | 1.5 | 7.3 | 115 ms |",
    "| engine | 1.5 | 1.3 | -5 ms |",
    "| all | 3.0 | 8.5 | 110 ms |",
    "| by the clock | 4.5 | 9.5 | 100 ms |",
  ]);
});

test("owners of a thread's time are listed by their shares, but for small ones", () => {
  const owners = { ssh2: 20, "loading modules": 70, gRPC: 9, zod: 1 };
  expect(sumOwners(owners, 50)).toBe(2);
  expect(listOwners(owners)).toBe("loading modules 70 %, ssh2 20 %, gRPC 9 %");
});
