import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkExpectations } from "../../../src/lint/expectations";
import { parsePolicy } from "../../../src/policy/parse";
import { writePolicy } from "../../../src/policy/written-policy";
import { replaceSomewhere } from "../arbitraries";
import { runs } from "../runs";
import { readPolicy } from "./read-policy";

const ada = { name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" };
const ben = { name: "ben", key: "Zx8Lw3Qe1Rt6Yu9Io2Pa5Sd7Fg0Hj4Kl_Zc-VbNmAqW" };
const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } };
const web = { name: "web", protect: [{ tcp: "443" }], knock: { steps: [{ tcp: 7_000 }] } };
const team = { name: "edge", users: [ada, ben], gates: [ssh] };

/** The path and the rule of each finding. */
function listFindings(raw: unknown): readonly string[] {
  const reading = parsePolicy(raw);
  return reading.kind === "wrong" ? reading.findings.map(({ path, rule }) => `${path} ${rule}`) : [];
}

describe("a policy with tokens", () => {
  test.each([
    ["UDP", team],
    ["an echo request", { ...team, gates: [{ ...ssh, knock: { token: { icmpEcho: true } } }] }],
    [
      "users of some gates and sources",
      { ...team, users: [{ ...ada, gates: ["ssh"], from: ["192.0.2.0/24"] }, ben] },
    ],
    [
      "its own tests",
      {
        ...team,
        expect: [
          {
            name: "ada",
            from: "192.0.2.7",
            gate: "ssh",
            isOpen: true,
            packets: [
              { token: "ada" },
              { token: "ada", again: true, afterSeconds: 2 },
              { token: "ben", slot: -5, close: true },
              { udp: 5, udpPayloadBytes: 3 },
            ],
          },
        ],
      },
    ],
    ["a sequence beside it, and a deployer", { ...team, gates: [ssh, web], deployAs: "ben" }],
  ])("by %s is valid, and is the same after it was written and read again", (_, input) => {
    const policy = readPolicy(input);
    expect(parsePolicy(structuredClone(writePolicy(policy)))).toEqual({ kind: "policy", policy });
  });

  test.each<readonly [string, unknown, readonly string[]]>([
    [
      "steps and a token",
      { ...team, gates: [{ ...ssh, knock: { ...ssh.knock, ...web.knock } }] },
      ["gates[0].knock policy-shape"],
    ],
    [
      "a token of no carrier",
      { ...team, gates: [{ ...ssh, knock: { token: {} } }] },
      ["gates[0].knock.token policy-shape"],
    ],
    [
      "a token of two carriers",
      { ...team, gates: [{ ...ssh, knock: { token: { udp: 1, icmpEcho: true } } }] },
      ["gates[0].knock.token policy-shape"],
    ],
    [
      "an echo request that is off",
      { ...team, gates: [{ ...ssh, knock: { token: { icmpEcho: false } } }] },
      ["gates[0].knock.token.icmpEcho policy-shape"],
    ],
    [
      "fields of a sequence beside a token",
      { ...team, gates: [{ ...ssh, knock: { ...ssh.knock, strict: true, stepTimeoutSeconds: 5 } }] },
      ["gates[0].knock.stepTimeoutSeconds policy-shape", "gates[0].knock.strict policy-shape"],
    ],
    ["a short key", { ...team, users: [{ ...ada, key: "x".repeat(31) }] }, ["users[0].key policy-shape"]],
    [
      "a long key",
      { ...team, users: [{ ...ada, key: `${"aB3".repeat(21)}xy` }] },
      ["users[0].key policy-shape"],
    ],
    [
      "a key with a line break",
      { ...team, users: [{ ...ada, key: `${ada.key}\n` }] },
      ["users[0].key policy-shape"],
    ],
    [
      "a user from everywhere",
      { ...team, users: [{ ...ada, from: ["0.0.0.0/0", "192.0.2.0/24", "::/0"] }, ben] },
      ["users[0].from[0] policy-shape", "users[0].from[2] policy-shape"],
    ],
    ["a slot of no length", { ...team, tokens: { slotSeconds: 0 } }, ["tokens.slotSeconds policy-shape"]],
    ["a user of no gate", { ...team, users: [{ ...ada, gates: [] }, ben] }, ["users[0].gates policy-shape"]],
    [
      "one name twice",
      { ...team, users: [ada, ben, { ...ben, key: `${ben.key}2`, name: "ada" }] },
      ["users[2].name user-name-taken"],
    ],
    ["one key twice", { ...team, users: [ada, { ...ada, name: "ben" }] }, ["users[1].key user-key-taken"]],
    [
      "an unknown gate, and one with a sequence",
      { ...team, gates: [ssh, web], users: [ada, { ...ben, gates: ["web", "wg"] }] },
      ["users[1].gates[0] user-gate-without-token", "users[1].gates[1] user-gate-unknown"],
    ],
    ["users and no token", { ...team, gates: [web] }, ["users users-without-token"]],
    ["a token and no users", { ...team, users: [] }, ["gates[0].knock.token token-without-user"]],
    [
      "a gate that is left out by all users",
      {
        ...team,
        gates: [ssh, { ...ssh, name: "wg", protect: [{ udp: "51820" }] }],
        users: [{ ...ada, gates: ["ssh"] }],
      },
      ["gates[1].knock.token token-without-user"],
    ],
    ["an unknown deployer", { ...team, deployAs: "eve" }, ["deployAs deploy-as-unknown"]],
    [
      "more tokens than a set holds",
      { ...team, tokens: { slotSeconds: 10, horizonDays: 90 } },
      ["tokens too-many-tokens"],
    ],
    [
      "a token on a protected port, of its own gate",
      { ...team, gates: [{ ...ssh, protect: [{ udp: "62200-62210" }] }] },
      ["gates[0].knock.token.udp token-on-protected-port"],
    ],
    [
      "a token on a protected port, of another gate",
      { ...team, gates: [ssh, { ...web, protect: [{ udp: "62201" }] }] },
      ["gates[0].knock.token.udp token-on-protected-port"],
    ],
    [
      "a step that any datagram to the token's port takes",
      { ...team, gates: [ssh, { ...web, knock: { steps: [{ tcp: 7_000 }, { udp: 62_201 }] } }] },
      ["gates[1].knock.steps[1].udp step-on-token-port"],
    ],
    [
      "a step of the size of a closing token",
      { ...team, gates: [ssh, { ...web, knock: { steps: [{ udp: 62_201, udpPayloadBytes: 17 }] } }] },
      ["gates[1].knock.steps[0].udp step-on-token-port"],
    ],
    [
      "an echo step of the size of a token",
      {
        ...team,
        gates: [
          { ...ssh, knock: { token: { icmpEcho: true } } },
          { ...web, knock: { steps: [{ icmpPayloadBytes: 32 }] } },
        ],
      },
      ["gates[1].knock.steps[0].icmpPayloadBytes step-on-token-port"],
    ],
  ])("with %s is refused", (_, raw, expected) => {
    expect(listFindings(raw)).toEqual(expected);
  });

  test.each<readonly [string, object, string]>([
    ["a token and a step", { token: "ada", tcp: 7 }, "expect[0].packets[0]"],
    ["a slot without a token", { tcp: 7, slot: 1 }, "expect[0].packets[0].slot"],
    ["again without a token", { tcp: 7, again: true }, "expect[0].packets[0].again"],
    ["closing without a token", { tcp: 7, close: false }, "expect[0].packets[0].close"],
    [
      "a slot of a token that is sent again",
      { token: "ada", slot: 0, again: true },
      "expect[0].packets[0].slot",
    ],
    ["half a slot", { token: "ada", slot: 0.5 }, "expect[0].packets[0].slot"],
  ])("with %s in its own test is refused", (_, packet, path) => {
    const own = { name: "x", from: "192.0.2.7", gate: "ssh", isOpen: true, packets: [packet] };
    expect(listFindings({ ...team, expect: [own] })).toEqual([`${path} policy-shape`]);
  });

  test.each<readonly [string, unknown]>([
    ["a datagram of another size", { udp: 62_201, udpPayloadBytes: 18 }],
    ["a datagram to another port", { udp: 62_202 }],
    ["a SYN to the same port", { tcp: 62_201 }],
    ["an echo request", { icmpPayloadBytes: 32 }],
  ])("may have %s as a step", (_, step) => {
    expect(listFindings({ ...team, gates: [ssh, { ...web, knock: { steps: [step] } }] })).toEqual([]);
  });

  test("that has anything in any place is read or refused, and no finding shows a key", () => {
    const own = { name: "x", from: "192.0.2.7", gate: "ssh", isOpen: true, packets: [{ token: "ada" }] };
    const whole = {
      ...team,
      deployAs: "ben",
      users: [{ ...ada, gates: ["ssh"], from: ["192.0.2.0/24"] }, ben],
      tokens: { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 },
      gates: [ssh, web],
      expect: [own],
    };
    const awkward = fc.constantFrom<unknown>(
      ...[
        null,
        undefined,
        0,
        -1,
        1e9,
        Number.NaN,
        "",
        "ada",
        "ssh",
        "0.0.0.0/0",
        true,
        ada.key,
        `${ada.key}!`,
      ],
      ...[[], {}, [null], [ada, ada], { udp: 22 }, { token: { udp: 22 } }, [{ key: ada.key }]],
    );
    fc.assert(
      fc.property(replaceSomewhere(fc.constant(whole), fc.oneof(awkward, fc.anything())), (raw) => {
        const reading = parsePolicy(raw);
        if (reading.kind === "wrong") expect(JSON.stringify(reading.findings)).not.toMatch(/kFq2|Zx8L/);
        else expect(JSON.stringify(checkExpectations(reading.policy))).not.toMatch(/kFq2|Zx8L/);
      }),
      runs(2_000),
    );
  });

  test("tells of all that is wrong at once, and shows no key", () => {
    const raw = {
      ...team,
      users: [ada, ada, { ...ben, key: "too short" }],
      deployAs: "eve",
      tokens: { horizonDays: 0 },
    };
    expect(listFindings(raw)).toEqual([
      "users[2].key policy-shape",
      "tokens.horizonDays policy-shape",
      "users[1].name user-name-taken",
      "users[1].key user-key-taken",
      "deployAs deploy-as-unknown",
    ]);
    expect(JSON.stringify(parsePolicy(raw))).not.toMatch(/kFq2|too short/);
  });
});
