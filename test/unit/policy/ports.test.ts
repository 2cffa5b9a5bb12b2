import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePolicy } from "../../../src/policy/parse";
import { edge } from "./read-policy";

test("a policy takes ports and sizes as numbers or as their digits, wherever they stand", () => {
  const knock = (isText: boolean) => {
    const as = (value: number) => (isText ? `${value}` : value);
    return {
      steps: [{ tcp: as(41_001) }, { udp: as(41_002), udpPayloadBytes: as(0) }, { icmpPayloadBytes: as(77) }],
    };
  };
  const gate = (port: unknown, isText: boolean) =>
    withGate({ protect: [{ tcp: port }, { udp: "8000-8010" }], knock: knock(isText) });
  expect(parsePolicy(gate(22, true))).toEqual(parsePolicy(gate("22", false)));
  expect(parsePolicy(gate(22, true)).kind).toBe("policy");
});

test("a wrong policy never shows a step's port in what it says", () => {
  const wrongPort = fc.constantFrom<unknown>("41987", 41_987.5, -41_987, 419_870, [41_987], {
    port: 41_987,
  });
  const steps = fc.array(
    fc.oneof(
      wrongPort.map((tcp): unknown => ({ tcp })),
      wrongPort.map((udp): unknown => ({ tcp: 41_987, udp })),
      fc.constant<unknown>({ udp: 41_987 }),
      fc.constant<unknown>({ tcp: 41_987 }),
      wrongPort,
    ),
    { minLength: 1, maxLength: 18 },
  );
  const protect = fc.constantFrom([{ tcp: "41987" }], [{ udp: "41000-42000" }], [{ tcp: "22" }]);
  fc.assert(
    fc.property(steps, protect, fc.boolean(), (list, entries, isDouble) => {
      const gate = { ...edge.gates[0], protect: entries, knock: { steps: list } };
      const reading = parsePolicy({ ...edge, gates: isDouble ? [gate, gate] : [gate] });
      if (reading.kind === "wrong") {
        expect(reading.findings.map(({ message, fix }) => message + fix).join()).not.toContain("41987");
      }
    }),
  );
});

function withGate(change: object): unknown {
  return { ...edge, gates: [{ ...edge.gates[0], ...change }] };
}
