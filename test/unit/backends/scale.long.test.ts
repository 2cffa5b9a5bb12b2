import { describe, expect, test } from "vitest";
import { planLoad } from "../../../src/backends/load";
import { lowerForBackend, renderPolicy } from "../../../src/backends/render";
import { lintPolicy } from "../../../src/lint/lint";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../policy/read-policy";
import { describeTable } from "./loaded-table";

type Backend = Policy["backend"];

/** Gates of eight steps with different ports, and lists that grow with the number of gates. */
function manyGates(count: number, backend: Backend): PolicyInput {
  return {
    name: "edge",
    backend,
    gates: Array.from({ length: count }, (_, gate) => ({
      name: `g${1_000 + gate}`,
      protect: [{ tcp: `${1 + gate}` }, { udp: `${1 + 3 * gate}-${2 + 3 * gate}` }],
      knock: {
        steps: [0, 4, 1, 5, 2, 6, 3, 7].map((step) => {
          const port = 20_000 + gate * 40 + step * 5;
          return step % 2 === 0 ? { tcp: port } : { udp: port };
        }),
      },
    })),
    allowFrom: Array.from({ length: count }, (_, index) => `10.${index >> 8}.${index & 255}.0/24`),
  };
}

describe.each(["nftables", "iptables"] as const)(
  "a policy of 1,000 gates with eight steps each for %s",
  (backend) => {
    test("is right, has no lint errors, and gates have as many lines as in a small policy", () => {
      const lines = (count: number) => {
        const policy = readPolicy({ ...manyGates(count, backend), allowFrom: [] });
        expect(lintPolicy(policy).filter(({ severity }) => severity === "error")).toEqual([]);
        return renderPolicy(policy).split("\n\n").filter(isOfGates).join("\n\n").split("\n").length;
      };
      // iptables matches fifteen ports at a time, or seven ranges: with steps of 105 gates each match is full.
      const [few, more, thousand] = [lines(105), lines(210), lines(1_050)];
      expect(thousand - few).toBe(9 * (more - few));
    });

    test.each<readonly [string, (input: PolicyInput) => unknown]>([
      ["reading", readPolicy],
      ["lint", (input) => lintPolicy(readPolicy(input))],
      ["rendering", (input) => renderPolicy(readPolicy(input))],
      ["planning a load", (input) => planOnLoaded(readPolicy(input))],
    ])("takes in %s four times the steps that a quarter of it takes", (_, work) => {
      const quarter = countSteps(() => work(manyGates(100, backend)));
      const whole = countSteps(() => work(manyGates(400, backend)));
      expect(quarter).toBeGreaterThan(100);
      expect(whole / quarter).toBeLessThan(4.4);
    });
  },
);

/** Whether a block is not one of nftables' groups of gates, whose number is not proportional to that of the gates. */
function isOfGates(block: string): boolean {
  return !/^\t(?:set mid_knock\d+_\d+_v[46]|chain strict(?:\d+_\d+)?_v[46]) \{/.test(block);
}

function planOnLoaded(policy: Policy): unknown {
  const loaded =
    policy.backend === "nftables"
      ? describeTable(lowerForBackend(policy))
      : { listing: renderPolicy(policy), sets: [], chains: [], counters: [] };
  return planLoad(policy, loaded, "192.0.2.7");
}

/** Counts accesses to entries of lists. Time would depend on the machine. */
function countSteps(work: () => unknown): number {
  let steps = 0;
  const prototype = Array.prototype as unknown as Record<string, (...words: never[]) => unknown>;
  const visiting = ["find", "findIndex", "some", "every", "filter", "map", "flatMap", "reduce"];
  const scanning = ["includes", "indexOf", "slice", "concat"];
  const originals = [...visiting, ...scanning].map((name) => [name, prototype[name]] as const);
  for (const [name, original] of originals) {
    if (original === undefined) throw new Error(`lists have no ${name}`);
    const isVisiting = visiting.includes(name);
    prototype[name] = function count(this: readonly unknown[], ...words: never[]) {
      const [callback, ...rest] = words as unknown as [(...values: unknown[]) => unknown, ...never[]];
      if (!isVisiting) {
        steps += this.length;
        return original.apply(this, words);
      }
      const counting = (...values: unknown[]) => {
        steps += 1;
        return callback(...values);
      };
      return original.apply(this, [counting as never, ...rest]);
    };
  }
  try {
    work();
  } finally {
    for (const [name, original] of originals) Reflect.set(prototype, name, original);
  }
  return steps;
}
