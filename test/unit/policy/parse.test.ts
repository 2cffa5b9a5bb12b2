import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Finding } from "../../../src/policy/finding";
import { parsePolicy } from "../../../src/policy/parse";
import { readGates, writePolicy } from "../../../src/policy/written-policy";
import { nearMissPolicy, policyInput } from "../arbitraries";
import { runs } from "../runs";
import { edge, readPolicy } from "./read-policy";

describe("a policy", () => {
  test("gets its defaults", () => {
    expect(readPolicy(edge)).toEqual({
      name: "edge",
      gates: [
        {
          name: "ssh",
          protect: [{ tcp: "22" }],
          knock: {
            kind: "sequence",
            steps: [
              { kind: "tcp", port: 41_001 },
              { kind: "tcp", port: 41_002 },
              { kind: "tcp", port: 41_003 },
            ],
            stepTimeoutSeconds: 5,
            strict: true,
          },
          openForSeconds: 30,
          singleConnection: false,
        },
      ],
      users: [],
      tokens: { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 },
      allowFrom: [],
      denyFrom: [],
      backend: "nftables",
      scope: "input",
      stealth: false,
      limits: { sources: 65_536, firstStepsPerSecond: 20 },
      acceptRisks: [],
      expect: [],
    });
  });

  test("treats an undefined field as one that is left out, as Pulumi programs write it", () => {
    const gate = edge.gates[0];
    const input = { ...edge, gates: [{ ...gate, openForSeconds: undefined }], allowFrom: undefined };
    expect(parsePolicy(input)).toEqual(parsePolicy(edge));
    const step = { tcp: 41_001, udp: undefined };
    expect(parsePolicy(withGate({ knock: { steps: [step] } })).kind).toBe("policy");
  });

  test("that is valid is read, and is the same after it was written and read again", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        const policy = readPolicy(input);
        const written = writePolicy(policy);
        expect(written).toMatchObject(input);
        const { expect: _, ...gated } = policy;
        expect(readGates(written)).toEqual(gated);
        expect(parsePolicy(structuredClone(written))).toEqual({ kind: "policy", policy });
      }),
    );
  });
});

describe("a wrong policy", () => {
  const shape = (path: string, message: string, fix: string): Finding => {
    return { path, rule: "policy-shape", message, fix };
  };
  const whole = "Choose a whole number within the limits.";
  const names = "must be 1 to 32 of the characters a-z, 0-9 and -, and begin with a letter.";
  const ports = "is not a port or a range of ports from 1 to 65535.";
  const portsFix = 'Write it like "22" or "8000-8010", the lower port first.';
  const oneOf = "must have exactly one of tcp or udp.";
  const stepKinds = "a step must have exactly one of tcp, udp or icmpPayloadBytes.";
  const oneOfFix = "Set one of them and leave out the others.";
  const unknown = (path: string, hint: string, known: string): Finding =>
    shape(path, "has a field that is not known.", `${hint} Known are ${known}.`);
  const gateFields = "name, protect, knock, openForSeconds, singleConnection";
  const stepFields = "tcp, udp, icmpPayloadBytes, udpPayloadBytes";
  const colon =
    "Did you leave out the space after a colon? Names are not shown here, because such a name contains a value.";
  const knock = "gates[0].knock";

  test.each<readonly [string, unknown, Finding]>([
    ["nothing", undefined, shape("policy", "must be an object, and is missing.", "Set it to an object.")],
    ["a text", "edge", shape("policy", "must be an object.", "Set it to an object.")],
    ["a list", [edge], shape("policy", "must be an object.", "Set it to an object.")],
    [
      "a policy without name",
      { gates: edge.gates },
      shape("name", "must be a string, and is missing.", "Set it to a string."),
    ],
    ["a name with capitals", { ...edge, name: "Edge" }, shape("name", names, "Change its spelling.")],
    ["an empty name", { ...edge, name: "" }, shape("name", names, "Change its spelling.")],
    ["a name of 33", { ...edge, name: "a".repeat(33) }, shape("name", names, "Change its spelling.")],
    ["a name with a line break", { ...edge, name: "edge\n" }, shape("name", names, "Change its spelling.")],
    ["a name from a digit on", { ...edge, name: "1st" }, shape("name", names, "Change its spelling.")],
    ["a name with _", { ...edge, name: "a_b" }, shape("name", names, "Change its spelling.")],
    [
      "a name that is no text",
      { ...edge, name: 7 },
      shape("name", "must be a string.", "Set it to a string."),
    ],
    ["no gates", { name: "edge" }, shape("gates", "must be a list, and is missing.", "Set it to a list.")],
    [
      "an empty list of gates",
      { name: "edge", gates: [] },
      shape("gates", "must not be an empty list.", "Change the number of entries."),
    ],
    [
      "a gate that is a text",
      { name: "edge", gates: ["ssh"] },
      shape("gates[0]", "must be an object.", "Set it to an object."),
    ],
    [
      "an unknown field",
      { ...edge, gate: 1 },
      unknown(
        "policy",
        "Did you mean gates? Else remove it.",
        "name, gates, users, deployAs, tokens, allowFrom, denyFrom, backend, scope, stealth, log, limits, acceptRisks, expect",
      ),
    ],
    [
      "an unknown field of a gate",
      withGate({ openFor: 30 }),
      unknown("gates[0]", "Did you mean openForSeconds? Else remove it.", gateFields),
    ],
    [
      "an unknown field of a knock",
      withKnock({ stepTimeout: 5 }),
      unknown(
        knock,
        "Did you mean stepTimeoutSeconds? Else remove it.",
        "steps, stepTimeoutSeconds, strict, token",
      ),
    ],
    [
      "an unknown field of a step",
      withKnock({ steps: [{ tcp: 41_001, port: 1 }] }),
      unknown(`${knock}.steps[0]`, "Remove it, or correct its spelling.", stepFields),
    ],
    [
      "a step as YAML reads one without the space after its colon",
      withKnock({ steps: [{ tcp: 41_001, "udp:41002": null }] }),
      unknown(`${knock}.steps[0]`, colon, stepFields),
    ],
    ["a wrong gate name", withGate({ name: "s s h" }), shape("gates[0].name", names, "Change its spelling.")],
    [
      "a gate that protects nothing",
      withGate({ protect: [] }),
      shape("gates[0].protect", "must not be an empty list.", "Change the number of entries."),
    ],
    [
      "a protected port that is a list",
      withGate({ protect: [{ tcp: [22] }] }),
      shape("gates[0].protect[0].tcp", "must be a string.", "Set it to a string."),
    ],
    [
      "a protected port that is a fraction",
      withGate({ protect: [{ tcp: 22.5 }] }),
      shape("gates[0].protect[0].tcp", ports, portsFix),
    ],
    ["a port of 0", withGate({ protect: [{ tcp: "0" }] }), shape("gates[0].protect[0].tcp", ports, portsFix)],
    [
      "a range that goes backwards",
      withGate({ protect: [{ tcp: "22" }, { udp: "90-80" }] }),
      shape("gates[0].protect[1].udp", ports, portsFix),
    ],
    [
      "an entry of protect with both protocols",
      withGate({ protect: [{ tcp: "22", udp: "22" }] }),
      shape("gates[0].protect[0]", `an entry of protect ${oneOf}`, oneOfFix),
    ],
    [
      "an empty entry of protect",
      withGate({ protect: [{}] }),
      shape("gates[0].protect[0]", `an entry of protect ${oneOf}`, oneOfFix),
    ],
    [
      "a gate without knock",
      withGate({ knock: undefined }),
      shape("gates[0].knock", "must be an object, and is missing.", "Set it to an object."),
    ],
    [
      "a knock without steps",
      withGate({ knock: {} }),
      shape(
        knock,
        "a knock must have exactly one of steps or token.",
        "Set one of them and leave out the others.",
      ),
    ],
    [
      "an empty list of steps",
      withKnock({ steps: [] }),
      shape(`${knock}.steps`, "must not be an empty list.", "Change the number of entries."),
    ],
    [
      "17 steps",
      withKnock({ steps: Array.from({ length: 17 }, (_, index) => ({ tcp: 41_001 + index })) }),
      shape(`${knock}.steps`, "must have at most 16 entries.", "Change the number of entries."),
    ],
    [
      "a step that is a number",
      withKnock({ steps: [41_001] }),
      shape(`${knock}.steps[0]`, "must be an object.", "Set it to an object."),
    ],
    ["a step without port", withKnock({ steps: [{}] }), shape(`${knock}.steps[0]`, stepKinds, oneOfFix)],
    [
      "a step with two ports",
      withKnock({ steps: [{ tcp: 41_001, udp: 41_001 }] }),
      shape(`${knock}.steps[0]`, stepKinds, oneOfFix),
    ],
    [
      "a step at port 0",
      withKnock({ steps: [{ tcp: 0 }] }),
      shape(`${knock}.steps[0].tcp`, "must be at least 1.", whole),
    ],
    [
      "a step beyond the last port",
      withKnock({ steps: [{ udp: 65_536 }] }),
      shape(`${knock}.steps[0].udp`, "must be at most 65535.", whole),
    ],
    [
      "a step between two ports",
      withKnock({ steps: [{ tcp: 41_001.5 }] }),
      shape(`${knock}.steps[0].tcp`, "must be a whole number.", "Set it to a whole number."),
    ],
    ...["41001x", "041001", "4e4", " 41001", "0x41", ""].map((tcp): [string, unknown, Finding] => [
      `a step whose port is the text ${JSON.stringify(tcp)}`,
      withKnock({ steps: [{ tcp }] }),
      shape(`${knock}.steps[0].tcp`, "must be a number.", "Set it to a number."),
    ]),
    [
      "a pause of 0",
      withKnock({ stepTimeoutSeconds: 0 }),
      shape(`${knock}.stepTimeoutSeconds`, "must be at least 1.", whole),
    ],
    [
      "a pause of more than a day",
      withKnock({ stepTimeoutSeconds: 86_401 }),
      shape(`${knock}.stepTimeoutSeconds`, "must be at most 86400.", whole),
    ],
    [
      "a strict that is a text",
      withKnock({ strict: "yes" }),
      shape(`${knock}.strict`, "must be true or false.", "Set it to true or false."),
    ],
    [
      "a door never open",
      withGate({ openForSeconds: 0 }),
      shape("gates[0].openForSeconds", "must be at least 1.", whole),
    ],
    [
      "a door always open",
      withGate({ openForSeconds: Number.POSITIVE_INFINITY }),
      shape("gates[0].openForSeconds", "must be a number.", "Set it to a number."),
    ],
    [
      "an allowFrom that is a text",
      { ...edge, allowFrom: "192.0.2.0/24" },
      shape("allowFrom", "must be a list.", "Set it to a list."),
    ],
    [
      "an allowFrom of a name",
      { ...edge, allowFrom: ["192.0.2.7", "office"] },
      shape(
        "allowFrom[1]",
        "is not an address or a prefix.",
        'Write it like "192.0.2.0/24", "2001:db8::/32" or "192.0.2.7".',
      ),
    ],
    [
      "an allowFrom of all",
      { ...edge, allowFrom: ["::/0"] },
      shape(
        "allowFrom[0]",
        "contains every address, so it names nobody in particular.",
        "Name the networks that you mean, or leave the list out.",
      ),
    ],
    [
      "an allowFrom with host bits",
      { ...edge, allowFrom: ["192.0.2.1/24"] },
      shape(
        "allowFrom[0]",
        "has bits set beyond its prefix length.",
        'Write "192.0.2.0/24", or a longer prefix.',
      ),
    ],
  ])("with %s has one finding that says where, what and what to do", (_, raw, finding) => {
    expect(findingsOf(raw)).toEqual([finding]);
  });

  test("gives all its findings at once, also those between its gates", () => {
    const gate = (name: unknown, tcp: string, steps: readonly unknown[], more: object = {}) => {
      return { name, protect: [{ tcp }], knock: { steps }, ...more };
    };
    const findings = findingsOf({
      name: "Edge!",
      gates: [
        gate("ssh", "22", [{ tcp: 41_001 }, { tcp: 8_080 }]),
        gate("SSH", "22", [{ tcp: 70_000 }, {}], { openForSeconds: -1, openFor: 30 }),
        gate("ssh", "8000-8100", [{ tcp: 41_003 }]),
        gate("web", "8100", []),
        gate("api", "8100-8200", [{ tcp: 41_003 }, { tcp: 22 }]),
      ],
      allowFrom: ["192.0.2.1/24", "0.0.0.0/0", "home"],
      strict: true,
    });
    expect(findings.map(({ path, rule }) => `${path} ${rule}`).sort()).toEqual(
      [
        "allowFrom[0] policy-shape",
        "allowFrom[1] policy-shape",
        "allowFrom[2] policy-shape",
        "gates[0].knock.steps[1].tcp step-on-protected-port",
        "gates[1] policy-shape",
        "gates[1].protect[0] port-behind-two-gates",
        "gates[1].knock.steps[0].tcp policy-shape",
        "gates[1].knock.steps[1] policy-shape",
        "gates[1].name policy-shape",
        "gates[1].openForSeconds policy-shape",
        "gates[2].name gate-name-taken",
        "gates[3].knock.steps policy-shape",
        "gates[3].protect[0] port-behind-two-gates",
        "gates[4].knock.steps[1].tcp step-on-protected-port",
        "gates[4].protect[0] port-behind-two-gates",
        "name policy-shape",
        "policy policy-shape",
      ].sort(),
    );
    for (const { message, fix } of findings) {
      expect(message).toMatch(/^\S.*\.$/);
      expect(fix).toMatch(/^\S.*\.$/);
    }
  });

  test("never throws, whatever it is", () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    const nested = fc.oneof(
      anything,
      anything.map((value) => ({ ...edge, gates: value })),
      anything.map((value) => ({ ...edge, gates: [value] })),
      anything.map((value) => withKnock({ steps: value })),
      anything.map((value) => withKnock({ steps: [value] })),
      anything.map((value) => withGate({ protect: value })),
      anything.map((value) => ({ ...edge, allowFrom: value })),
    );
    fc.assert(
      fc.property(nested, (raw) => {
        expect(["policy", "wrong"]).toContain(parsePolicy(raw).kind);
      }),
      runs(500),
    );
  });

  test("that is nearly valid is either read, or found wrong with a fix", () => {
    fc.assert(
      fc.property(nearMissPolicy(), (raw) => {
        const reading = parsePolicy(raw);
        if (reading.kind === "policy") return;
        expect(reading.findings.length).toBeGreaterThan(0);
        for (const { path, rule, message, fix } of reading.findings) {
          expect(path).not.toBe("");
          expect(rule).toMatch(/^[a-z]+(-[a-z]+)*$/);
          expect(message).toMatch(/\S\.$/);
          expect(fix).toMatch(/\S\.$/);
        }
      }),
      runs(500),
    );
  });
});

function withGate(change: object): unknown {
  return { ...edge, gates: [{ ...edge.gates[0], ...change }] };
}

function withKnock(change: object): unknown {
  return withGate({ knock: { ...edge.gates[0]?.knock, ...change } });
}

function findingsOf(raw: unknown): readonly Finding[] {
  const reading = parsePolicy(raw);
  return reading.kind === "wrong" ? reading.findings : [];
}
