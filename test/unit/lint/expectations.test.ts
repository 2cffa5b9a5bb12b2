import { describe, expect, test } from "vitest";
import { checkExpectations } from "../../../src/lint/expectations";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../policy/read-policy";

type Own = NonNullable<PolicyInput["expect"]>[number];

const ssh = {
  name: "ssh",
  protect: [{ tcp: "22" }],
  knock: { steps: [{ tcp: 47_001 }, { udp: 58_002, udpPayloadBytes: 733 }, { icmpPayloadBytes: 844 }] },
};
const web = {
  name: "web",
  protect: [{ tcp: "443" }],
  knock: { steps: [{ udp: 39_003 }, { tcp: 36_004 }], strict: false },
  openForSeconds: 10,
};
const whole: Own["packets"] = [
  { tcp: 47_001 },
  { udp: 58_002, udpPayloadBytes: 733 },
  { icmpPayloadBytes: 844 },
];
const secrets = /47001|58002|733|844|39003|36004|40000/;

function check(own: Partial<Own>, more: Partial<PolicyInput> = {}) {
  const complete = { name: "a friend", from: "192.0.2.7", gate: "ssh", isOpen: true, ...own };
  return checkExpectations(readPolicy({ name: "edge", gates: [ssh, web], expect: [complete], ...more }));
}

describe("a policy's own test", () => {
  test.each<readonly [string, Partial<Own>, Partial<PolicyInput>]>([
    ["the whole knock opens", { packets: whole }, {}],
    ["the whole knock opens over IPv6 as well", { packets: whole, from: "2001:db8::7" }, {}],
    ["no packet leaves it closed", { isOpen: false }, {}],
    ["half a knock leaves it closed", { packets: whole?.slice(0, 2), isOpen: false }, {}],
    ["the knock of another gate leaves it closed", { packets: whole, gate: "web", isOpen: false }, {}],
    ["the door is open to its last moment", { packets: whole, afterSeconds: 29.999 }, {}],
    ["the door closes in time", { packets: whole, afterSeconds: 30, isOpen: false }, {}],
    [
      "a step that comes late is lost",
      {
        packets: [{ tcp: 47_001 }, { ...whole?.[1], afterSeconds: 5 }, { icmpPayloadBytes: 844 }],
        isOpen: false,
      },
      {},
    ],
    [
      "a datagram of another size is no step",
      {
        packets: [{ tcp: 47_001 }, { udp: 58_002, udpPayloadBytes: 732 }, ...(whole?.slice(2) ?? [])],
        isOpen: false,
      },
      {},
    ],
    [
      "a datagram of any size is one where the step has none",
      { gate: "web", packets: [{ udp: 39_003, udpPayloadBytes: 5 }, { tcp: 36_004 }] },
      {},
    ],
    [
      "another packet resets what is strict",
      { packets: [{ tcp: 47_001 }, { tcp: 1 }, ...(whole?.slice(1) ?? [])], isOpen: false },
      {},
    ],
    ["and nothing else", { gate: "web", packets: [{ udp: 39_003 }, { tcp: 1 }, { tcp: 36_004 }] }, {}],
    ["who is allowed need not knock", {}, { allowFrom: ["192.0.2.0/24"] }],
    ["who is denied knocks in vain", { packets: whole, isOpen: false }, { denyFrom: ["192.0.2.7"] }],
    [
      "denied comes before allowed",
      { isOpen: false },
      { allowFrom: ["192.0.2.0/24"], denyFrom: ["192.0.2.7"] },
    ],
  ])("holds: %s; and its contrary does not", (_, own, more) => {
    expect(check(own, more)).toEqual([]);
    const found = check({ ...own, isOpen: own.isOpen === false }, more);
    const wanted = own.isOpen === false ? "open" : "closed";
    const is = own.isOpen === false ? "closed" : "open";
    expect(found).toEqual([
      {
        path: "expect[0]",
        rule: "expectation-failed",
        message: expect.stringMatching(
          `^"a friend" expects gate "${own.gate ?? "ssh"}" ${wanted} at [\\d.]+ s, and it is ${is}\\. `,
        ),
        fix: expect.stringMatching(/\.$/),
      },
    ]);
    expect(JSON.stringify(found)).not.toMatch(secrets);
  });

  test("that fails says its times without the noise of floating-point numbers", () => {
    const soon = [{ tcp: 47_001 }, { tcp: 47_001, afterSeconds: 0.1 }, { tcp: 47_001, afterSeconds: 0.2 }];
    const [found] = check({ packets: soon, afterSeconds: 1.1 });
    expect(found?.message).toMatch(/ at 1\.4 s, and it is closed\. .*packet 3 at 0\.3 s: /);
  });

  test("that fails says in words how it came about, packet by packet, and never a port", () => {
    const late = [{ tcp: 47_001 }, { tcp: 47_001, afterSeconds: 1 }, { ...whole?.[1], afterSeconds: 5.5 }];
    const [found] = check({ packets: late, afterSeconds: 2 });
    expect(found?.message).toBe(
      '"a friend" expects gate "ssh" open at 8.5 s, and it is closed. ' +
        "packet 1 at 0 s: ssh: step 1 of 3 taken; web: not the next step; 0 of 2 taken. " +
        "packet 2 at 1 s: ssh: step 1 of 3 taken; web: not the next step; 0 of 2 taken. " +
        "packet 3 at 6.5 s: ssh: step 2 did not come within 5 s of step 1, so the steps so far were forgotten; " +
        "not the next step; 0 of 3 taken; web: not the next step; 0 of 2 taken.",
    );
  });

  test("that sends nothing, or only packets that no gate looks at, says so", () => {
    expect(check({})[0]?.message).toContain("No packet was sent.");
    const allowed = check({ packets: whole, isOpen: false }, { allowFrom: ["192.0.2.7"] });
    expect(allowed[0]?.message).toContain("packet 1 at 0 s: it matches no gate.");
  });

  test("that names a gate which the policy does not have says so", () => {
    expect(check({ gate: "vpn" })).toEqual([
      {
        path: "expect[0].gate",
        rule: "expectation-gate",
        message: 'names gate "vpn", which the policy does not have.',
        fix: "Name one of the policy's gates.",
      },
    ]);
  });

  test("is judged by itself, and each that fails is found at its place", () => {
    const own = [
      { packets: whole, isOpen: true },
      { packets: whole?.slice(2), isOpen: true },
      { packets: [], isOpen: false },
      { packets: [], gate: "none", isOpen: false },
    ].map((more) => ({ name: "x", from: "192.0.2.7", gate: "ssh", ...more }));
    const found = checkExpectations(readPolicy({ name: "edge", gates: [ssh, web], expect: own }));
    expect(found.map(({ path }) => path)).toEqual(["expect[1]", "expect[3].gate"]);
  });
});

describe("a policy's own test with tokens", () => {
  const [adaKey, benKey] = ["ada", "ben"].map((name) => `${name}-kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3u`);
  const users = [
    { name: "ada", key: adaKey ?? "" },
    { name: "ben", key: benKey ?? "", gates: ["wiki"], from: ["198.51.100.0/24"] },
  ];
  const gates = [
    { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } },
    { name: "wiki", protect: [{ tcp: "80" }], knock: { token: { icmpEcho: true } }, openForSeconds: 10 },
    web,
  ];
  const tokens = { slotSeconds: 60, horizonDays: 1, graceSeconds: 90 };
  const checkToken = (own: Partial<Own>) => check(own, { users, gates, tokens });
  const ada = { token: "ada" };

  test.each<readonly [string, Partial<Own>]>([
    ["a token opens", { packets: [ada] }],
    ["a token opens over IPv6 and by an echo request", { packets: [ada], gate: "wiki", from: "2001:db8::7" }],
    [
      "the same token does not open again",
      { packets: [ada, { ...ada, again: true, afterSeconds: 31 }], isOpen: false },
    ],
    ["the next one does", { packets: [ada, { ...ada, afterSeconds: 31 }] }],
    ["it closes again", { packets: [ada, { ...ada, close: true }], isOpen: false }],
    ["a spent one does not close", { packets: [ada, { ...ada, close: true, again: true }] }],
    ["a token of a slot whose grace is not over opens", { packets: [{ ...ada, slot: -2 }] }],
    ["a token of a slot whose grace is over does not", { packets: [{ ...ada, slot: -3 }], isOpen: false }],
    ["a token of the horizon opens", { packets: [{ ...ada, slot: 1_440 }] }],
    ["a token beyond it does not", { packets: [{ ...ada, slot: 1_441 }], isOpen: false }],
    ["the horizon moves on", { packets: [{ ...ada, slot: 1_440, afterSeconds: 60 }] }],
    [
      "slots count from the time of the packet",
      { packets: [{ ...ada, slot: -2, afterSeconds: 86_399 }], isOpen: false },
    ],
    ["a user of another gate does not open", { packets: [{ token: "ben" }], isOpen: false }],
    ["a user opens from where it may", { packets: [{ token: "ben" }], gate: "wiki", from: "198.51.100.7" }],
    ["and not from elsewhere", { packets: [{ token: "ben" }], gate: "wiki", isOpen: false }],
    ["the door closes in time", { packets: [ada], gate: "wiki", afterSeconds: 10, isOpen: false }],
  ])("holds: %s; and its contrary does not", (_, own) => {
    expect(checkToken(own)).toEqual([]);
    const [found] = checkToken({ ...own, isOpen: own.isOpen === false });
    expect(found?.rule).toBe("expectation-failed");
    expect(JSON.stringify(found)).not.toContain("kFq2");
  });

  test("that fails tells whose tokens came, and why they did nothing", () => {
    const [found] = checkToken({
      packets: [ada, { ...ada, again: true }, { ...ada, slot: -9 }],
      isOpen: false,
    });
    expect(found?.message).toBe(
      '"a friend" expects gate "ssh" closed at 0 s, and it is open. ' +
        "packet 1 at 0 s: ssh: a token of ada: the door is open. " +
        "packet 2 at 0 s: ssh: a token that was used, or that the host had lost before: it does not count again; " +
        "web: not the next step; 0 of 2 taken. " +
        "packet 3 at 0 s: ssh: a token whose slot and grace are over; web: not the next step; 0 of 2 taken.",
    );
  });

  test.each<readonly [string, Partial<Own>, string, string]>([
    [
      "an unknown user",
      { packets: [ada, { token: "eve" }] },
      "expect[0].packets[1].token",
      "expectation-user",
    ],
    [
      "a gate that a sequence opens",
      { packets: [ada], gate: "web" },
      "expect[0].packets[0].token",
      "expectation-token",
    ],
    [
      "a token again that did not come before",
      { packets: [{ token: "ben" }, { ...ada, again: true }], gate: "wiki" },
      "expect[0].packets[1].again",
      "expectation-again",
    ],
  ])("with %s is found", (_, own, path, rule) => {
    expect(checkToken(own)).toEqual([
      { path, rule, message: expect.stringMatching(/\.$/), fix: expect.stringMatching(/\.$/) },
    ]);
  });
});
