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
