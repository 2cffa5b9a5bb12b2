import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crossCheckGates } from "../../../src/policy/cross-check";
import type { Gate } from "../../../src/policy/policy";
import { parsePortRange } from "../../../src/policy/port";
import type { StepInput } from "../../../src/policy/step";
import { policyInput } from "../arbitraries";

const outOfTheWay = [{ tcp: 41_001 }];

describe("gates of one policy", () => {
  test("that are valid are found valid", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        expect(crossCheckGates(input)).toEqual([]);
      }),
    );
  });

  test("may use each other's steps, and one gate may name a port twice", () => {
    expect(
      crossCheck([
        gate("ssh", [{ tcp: "22" }, { tcp: "20-30" }, { udp: "22" }], outOfTheWay),
        gate("web", [{ tcp: "80" }, { udp: "80" }], outOfTheWay),
      ]),
    ).toEqual([]);
  });

  test("may protect one port number by another protocol, and step on it by that", () => {
    const gates = [gate("dns", [{ udp: "53" }], [{ tcp: 53 }]), gate("ssh", [{ tcp: "22" }], [{ udp: 22 }])];
    expect(crossCheck(gates)).toEqual([]);
    expect(
      crossCheck([gate("one", [{ udp: "53" }], outOfTheWay), gate("two", [{ tcp: "53" }], outOfTheWay)]),
    ).toEqual([]);
  });

  test("are searched for protected steps with the same result as range by range", () => {
    const range = fc
      .tuple(fc.constantFrom("tcp", "udp"), fc.integer({ min: 1, max: 40 }), fc.nat(12))
      .map(([protocol, first, more]) => ({ [protocol]: `${first}-${first + more}` }));
    const ranges = fc.array(range, { minLength: 1, maxLength: 6 });
    const step = fc
      .tuple(fc.constantFrom("tcp", "udp"), fc.integer({ min: 1, max: 60 }))
      .map(([protocol, port]) => ({ [protocol]: port }));
    const manyGates = fc.array(fc.tuple(ranges, fc.array(step, { minLength: 1, maxLength: 6 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(manyGates, (parts) => {
        const gates = parts.map(([protect, steps], index) => gate(`g${index}`, protect, steps));
        const holds = (path: string, protocol: "tcp" | "udp", port: number) => {
          const [, at, entry] = /gates\[(\d+)\]\.protect\[(\d+)\]/.exec(path) ?? [];
          const text = parts[Number(at)]?.[0][Number(entry)]?.[protocol];
          const { first, last } = parsePortRange(text ?? "") ?? { first: 0, last: 0 };
          return first <= port && port <= last;
        };
        const paths = parts.flatMap(([protect], at) =>
          protect.map((_, entry) => `gates[${at}].protect[${entry}]`),
        );
        const found = crossCheck(gates).filter(({ rule }) => rule === "step-on-protected-port");
        for (const [at, [, steps]] of parts.entries()) {
          for (const [position, each] of steps.entries()) {
            const [protocol, port] =
              each["tcp"] === undefined
                ? (["udp", each["udp"] ?? 0] as const)
                : (["tcp", each["tcp"]] as const);
            const own = found.filter(
              ({ path }) => path === `gates[${at}].knock.steps[${position}].${protocol}`,
            );
            expect(own.length).toBe(paths.some((path) => holds(path, protocol, port)) ? 1 : 0);
            for (const { message } of own) expect(holds(message, protocol, port)).toBe(true);
          }
        }
      }),
    );
  });

  test("with one name are found, each after the first", () => {
    const gates = ["ssh", "web", "ssh", "ssh"].map((name, index) => {
      return gate(name, [{ tcp: `${100 + index}` }], outOfTheWay);
    });
    expect(crossCheck(gates)).toEqual(
      [2, 3].map((index) => ({
        path: `gates[${index}].name`,
        rule: "gate-name-taken",
        message: 'is "ssh", which is already the name of an earlier gate.',
        fix: "Give each gate of a policy its own name.",
      })),
    );
  });

  test.each([
    ["the same port", [{ tcp: "22" }], [{ tcp: "22" }], "gates[1].protect[0]", "gates[0].protect[0]"],
    [
      "a range that begins in another",
      [{ udp: "1-9" }],
      [{ udp: "9-12" }],
      "gates[1].protect[0]",
      "gates[0].protect[0]",
    ],
    [
      "a range around another",
      [{ tcp: "80" }],
      [{ tcp: "1-100" }],
      "gates[0].protect[0]",
      "gates[1].protect[0]",
    ],
    [
      "a port in a range, other entries between",
      [{ tcp: "1-100" }, { tcp: "5" }],
      [{ udp: "7" }, { tcp: "7" }],
      "gates[1].protect[1]",
      "gates[0].protect[0]",
    ],
  ])("that both protect %s are found", (_, one, other, path, earlier) => {
    const gates = [gate("one", one, outOfTheWay), gate("two", other, outOfTheWay)];
    expect(crossCheck(gates)).toEqual([
      {
        path,
        rule: "port-behind-two-gates",
        message: `overlaps with ${earlier}.`,
        fix: "Protect each port by one gate only.",
      },
    ]);
  });

  test("that share a protected port are always found", () => {
    const range = fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 12 }))
      .map(([first, more]) => `${first}-${first + more}`);
    const entry = fc.oneof(
      range.map((tcp) => ({ tcp })),
      range.map((udp) => ({ udp })),
    );
    const entries = fc.array(fc.array(entry, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(entries, (lists) => {
        const gates = lists.map((protect, index) => gate(`gate${index}`, protect, outOfTheWay));
        const found = crossCheck(gates).filter(({ rule }) => rule === "port-behind-two-gates");
        expect(found.length > 0).toBe(doShareAPort(gates));
      }),
    );
  });

  test.each([
    ["its own gate", [{ tcp: "22" }], [{ udp: 7 }, { tcp: 22 }], "gates[0].knock.steps[1].tcp"],
    ["its own gate's range", [{ udp: "1-100" }], [{ udp: 100 }], "gates[0].knock.steps[0].udp"],
  ])("have a finding for a step on a port that %s protects", (_, protect, steps, path) => {
    expect(crossCheck([gate("ssh", protect, steps)])).toEqual([
      {
        path,
        rule: "step-on-protected-port",
        message: "is a port that gates[0].protect[0] protects.",
        fix: "Choose a port that no gate protects and no service uses.",
      },
    ]);
  });

  test("have a finding for each step on a port that another gate protects", () => {
    const web = gate("web", [{ tcp: "80-90" }], outOfTheWay);
    const ssh = gate("ssh", [{ tcp: "22" }], [{ tcp: 80 }, { udp: 80 }, { tcp: 90 }, { tcp: 91 }]);
    expect(crossCheck([ssh, web]).map(({ path, message }) => `${path} ${message}`)).toEqual([
      "gates[0].knock.steps[0].tcp is a port that gates[1].protect[0] protects.",
      "gates[0].knock.steps[2].tcp is a port that gates[1].protect[0] protects.",
    ]);
  });

  test("are checked part by part, so that a wrong part hides no finding in the others", () => {
    const ssh = {
      name: "ssh",
      protect: [{ tcp: "22" }, { tcp: "no port" }],
      knock: { steps: [{ tcp: 80 }, {}] },
    };
    const nameless = { name: "N", protect: [{ tcp: "22" }], knock: "none", openForSeconds: -1 };
    const web = { name: "ssh", protect: [7, { tcp: "80" }], knock: { steps: [null, { tcp: 22 }] } };
    const findings = crossCheckGates({ name: 7, gates: [null, ssh, "gate", nameless, web] });
    expect(findings.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
      "gates[4].name gate-name-taken",
      "gates[3].protect[0] port-behind-two-gates",
      "gates[1].knock.steps[0].tcp step-on-protected-port",
      "gates[4].knock.steps[1].tcp step-on-protected-port",
    ]);
  });

  test.each([undefined, null, 7, "gates", [], {}, { gates: {} }, { gates: "gates" }])(
    "that do not exist, as in %j, are skipped",
    (raw) => {
      expect(crossCheckGates(raw)).toEqual([]);
    },
  );
});

type GateInput = Omit<Gate, "knock"> & { readonly knock: object };

function gate(name: string, protect: Gate["protect"], steps: readonly StepInput[]): GateInput {
  return {
    name,
    protect,
    knock: { steps, stepTimeoutSeconds: 5, strict: true },
    openForSeconds: 30,
    singleConnection: false,
  };
}

function crossCheck(gates: readonly GateInput[]) {
  return crossCheckGates({ gates });
}

/** Compares port by port, which is slow but surely right. */
function doShareAPort(gates: readonly GateInput[]): boolean {
  return (["tcp", "udp"] as const).some((protocol) => {
    const owners = new Map<number, string>();
    return gates.some((each) =>
      each.protect.some((entry) => {
        const range = parsePortRange(entry[protocol] ?? "");
        if (range === undefined) return false;
        for (let port = range.first; port <= range.last; port++) {
          if ((owners.get(port) ?? each.name) !== each.name) return true;
          owners.set(port, each.name);
        }
        return false;
      }),
    );
  });
}
