import { describe, expect, test } from "vitest";
import { countBits, guessingTime } from "../../../src/lint/entropy";
import { readStep, type StepInput } from "../../../src/policy/step";

const kind = Math.log2(3);

function bitsOf(...steps: readonly StepInput[]): number {
  return countBits(steps.map(readStep));
}

describe("the bits of a knock", () => {
  test.each([
    ["no step", [], 0],
    ["a port", [{ tcp: 41_001 }], kind + Math.log2(65_535)],
    ["a datagram of any size", [{ udp: 41_001 }], kind + Math.log2(65_535)],
    ["an echo request's size", [{ icmpPayloadBytes: 0 }], kind + Math.log2(1_233)],
    [
      "a datagram's port and size",
      [{ udp: 41_001, udpPayloadBytes: 0 }],
      kind + Math.log2(65_535) + Math.log2(1_233),
    ],
    ["two ports", [{ tcp: 1 }, { udp: 2 }], 2 * (kind + Math.log2(65_535))],
    ["a step that is repeated at once", [{ tcp: 1 }, { tcp: 1 }], kind + Math.log2(65_535)],
    ["a step that is repeated later", [{ tcp: 1 }, { udp: 2 }, { tcp: 1 }], 2 * (kind + Math.log2(65_535))],
    ["one port for two protocols", [{ tcp: 1 }, { udp: 1 }], 2 * kind + Math.log2(65_535)],
    [
      "one port with two sizes",
      [
        { udp: 1, udpPayloadBytes: 5 },
        { udp: 1, udpPayloadBytes: 6 },
      ],
      2 * (kind + Math.log2(1_233)) + Math.log2(65_535),
    ],
    [
      "two echo requests alike, apart",
      [5, 6, 5].map((icmpPayloadBytes) => ({ icmpPayloadBytes })),
      2 * (kind + Math.log2(1_233)),
    ],
  ])("of %s", (_, steps, bits) => {
    expect(bitsOf(...steps)).toBeCloseTo(bits, 9);
  });

  test("do not depend on which ports and sizes they are", () => {
    expect(bitsOf({ tcp: 1 }, { icmpPayloadBytes: 1_232 })).toBe(
      bitsOf({ tcp: 65_535 }, { icmpPayloadBytes: 0 }),
    );
  });
});

describe("the time to guess", () => {
  test.each([
    [1, 1, "1 seconds"],
    [8, 100, "2 seconds"],
    [7, 1, "64 seconds"],
    [8, 1, "2 minutes"],
    [14, 1, "2 hours"],
    [19, 1, "3 days"],
    [27, 1, "2 years"],
    [40, 100, "174 years"],
    [47, 1, "2 million years"],
    [46, 1, "1114925 years"],
    [53, 1, "143 million years"],
    [57, 1, "more than a billion years"],
    [400, 1, "more than a billion years"],
  ])("%d bits at %d a second is %s", (bits, tries, words) => {
    expect(guessingTime(bits, tries)).toBe(words);
  });

  test("is half as long at twice as many tries", () => {
    expect(guessingTime(41, 200)).toBe(guessingTime(40, 100));
  });
});
