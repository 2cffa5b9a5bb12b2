import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  payloadBytesOf,
  portOf,
  readStep,
  type Step,
  type StepInput,
  sameStep,
  stepFields,
  stepKinds,
  stepProtocols,
  writeStep,
} from "../../../src/policy/step";

const steps: readonly (readonly [StepInput, Step])[] = [
  [{ tcp: 7 }, { kind: "tcp", port: 7 }],
  [{ udp: 7 }, { kind: "udp", port: 7 }],
  [
    { udp: 7, udpPayloadBytes: 0 },
    { kind: "udp", port: 7, payloadBytes: 0 },
  ],
  [{ icmpPayloadBytes: 0 }, { kind: "icmpEcho", payloadBytes: 0 }],
];

describe("a step", () => {
  test.each(steps)("%j is read, and written as it was", (input, step) => {
    expect(readStep(input)).toStrictEqual(step);
    expect(writeStep(step)).toStrictEqual(input);
  });

  test("is read with undefined fields, as Pulumi programs write them", () => {
    const input = { tcp: undefined, udp: 7, udpPayloadBytes: undefined, icmpPayloadBytes: undefined };
    expect(readStep(input)).toStrictEqual({ kind: "udp", port: 7 });
  });

  test.each([{}, { udpPayloadBytes: 7 }])("is not read from %j, which does not say what it is", (fields) => {
    expect(() => readStep(fields)).toThrow("a step has no kind");
  });

  test.each(steps)("%j is of a kind whose field and protocol are known", (input, step) => {
    expect(stepKinds).toContain(step.kind);
    expect(Object.keys(input)).toContain(stepFields[step.kind]);
    expect(stepProtocols[step.kind] === undefined).toBe(portOf(step) === undefined);
    const numbers = [portOf(step), payloadBytesOf(step)].filter((value) => value !== undefined);
    expect(numbers).toEqual(Object.values(input));
  });
});

describe("one packet", () => {
  test.each<readonly [boolean, StepInput, StepInput]>([
    [true, { tcp: 7 }, { tcp: 7 }],
    [false, { tcp: 7 }, { tcp: 8 }],
    [false, { tcp: 7 }, { udp: 7 }],
    [true, { udp: 7 }, { udp: 7 }],
    [true, { udp: 7 }, { udp: 7, udpPayloadBytes: 5 }],
    [true, { udp: 7, udpPayloadBytes: 5 }, { udp: 7, udpPayloadBytes: 5 }],
    [false, { udp: 7, udpPayloadBytes: 0 }, { udp: 7, udpPayloadBytes: 5 }],
    [false, { udp: 7 }, { udp: 8 }],
    [true, { icmpPayloadBytes: 5 }, { icmpPayloadBytes: 5 }],
    [false, { icmpPayloadBytes: 5 }, { icmpPayloadBytes: 6 }],
    [false, { icmpPayloadBytes: 7 }, { tcp: 7 }],
    [false, { icmpPayloadBytes: 7 }, { udp: 7 }],
  ])("can be either step: %s for %j and %j", (isSame, one, other) => {
    expect(sameStep(readStep(one), readStep(other))).toBe(isSame);
    expect(sameStep(readStep(other), readStep(one))).toBe(isSame);
  });

  test("can be each step itself", () => {
    const step = fc.constantFrom(...steps.map(([, each]) => each));
    fc.assert(fc.property(step, (each) => sameStep(each, each)));
  });
});
