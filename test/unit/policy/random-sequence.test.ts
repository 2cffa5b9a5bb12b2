import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KnockgateError } from "../../../src/errors";
import { lintPolicy } from "../../../src/lint/lint";
import { randomSequence, type SequenceOptions, type StepKind } from "../../../src/policy/random-sequence";
import { runs } from "../runs";
import { readPolicy } from "./read-policy";

const seed = "only for these tests, not a random one";
const edge = { seed, policy: "edge" };

const options: fc.Arbitrary<SequenceOptions> = fc.record({
  seed: fc.string({ minLength: 16 }),
  policy: fc.constantFrom("edge", "core"),
  generation: fc.integer({ min: 1, max: 1_000_000 }),
  steps: fc.integer({ min: 3, max: 16 }),
  kinds: fc.uniqueArray(fc.constantFrom<StepKind>("tcp", "udp", "icmp"), { minLength: 1 }),
});

describe("a random sequence", () => {
  // Frozen: a change of any of these would rotate all users' knocks.
  test.each([
    [edge, "frozen 1"],
    [{ ...edge, generation: 2 }, "frozen 2"],
    [{ ...edge, gate: "web", steps: 6, kinds: ["icmp", "tcp", "udp"] as const }, "frozen 3"],
  ])("is the same for ever: %o", (given, name) => {
    expect(randomSequence(given)).toMatchSnapshot(name);
  });

  test("does not depend on the order of kinds, nor on what was made before", () => {
    randomSequence({ ...edge, policy: "other" });
    expect(randomSequence({ ...edge, kinds: ["udp", "tcp"] })).toEqual(randomSequence(edge));
  });

  test("has nothing that the linter objects to, on either backend", () => {
    fc.assert(
      fc.property(options, fc.constantFrom("nftables" as const, "iptables" as const), (given, backend) => {
        const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: randomSequence(given) } };
        const found = lintPolicy(readPolicy({ name: "edge", gates: [gate], backend }));
        expect(found.filter(({ rule }) => rule !== "low-entropy" && rule !== "iptables-few-sources")).toEqual(
          [],
        );
      }),
      runs(300),
    );
  });

  test("with echo requests is never swept by sizes, whatever was drawn", () => {
    for (let generation = 1; generation <= 400; generation++) {
      const steps = randomSequence({ ...edge, generation, steps: 16, kinds: ["icmp"] });
      const sizes = steps.map(({ icmpPayloadBytes = 0 }) => icmpPayloadBytes);
      const growths = sizes.slice(1).map((size, index) => size - (sizes[index] ?? 0));
      expect(Math.min(...growths.map(Math.abs))).toBeGreaterThan(1);
    }
  });

  test("is long enough by default for what the linter asks", () => {
    const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: randomSequence(edge) } };
    expect(lintPolicy(readPolicy({ name: "edge", gates: [gate] }))).toEqual([]);
  });

  test("differs by seed, policy, gate and generation", () => {
    const others = [{ seed: `${seed}!` }, { policy: "edg" }, { gate: "e" }, { generation: 2 }, { gate: "x" }];
    const texts = [{}, ...others].map((other) => JSON.stringify(randomSequence({ ...edge, ...other })));
    expect(new Set(texts).size).toBe(texts.length);
  });

  test("takes ports evenly from the whole range", () => {
    const ports = Array.from({ length: 3_000 }, (_, index) =>
      randomSequence({ ...edge, generation: index + 1 }),
    )
      .flat()
      .flatMap((step) => step.tcp ?? step.udp ?? []);
    const quarters = [0, 0, 0, 0];
    for (const port of ports)
      quarters[Math.floor(((port - 10_000) * 4) / 22_768)] =
        (quarters[Math.floor(((port - 10_000) * 4) / 22_768)] ?? 0) + 1;
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...ports)).toBeLessThanOrEqual(32_767);
    for (const quarter of quarters) expect(Math.abs(quarter / ports.length - 0.25)).toBeLessThan(0.03);
  });

  test.each([
    [{ seed: "too short" }, "seed has fewer than 16 characters"],
    [{ generation: 0 }, "generation"],
    [{ generation: 1.5 }, "generation"],
    [{ steps: 2 }, "steps"],
    [{ steps: 17 }, "steps"],
    [{ kinds: [] }, "kinds"],
    [{ kinds: ["sctp" as "tcp"] }, "kinds"],
  ])("is refused with %o, which is not repeated", (wrong, said) => {
    expect(() => randomSequence({ ...edge, ...wrong })).toThrow(said);
    expect(() => randomSequence({ ...edge, ...wrong })).toThrow(KnockgateError);
    expect(() => randomSequence({ ...edge, seed: "hush hush" })).not.toThrow("hush hush");
  });
});
