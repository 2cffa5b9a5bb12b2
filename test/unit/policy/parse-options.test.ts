import { describe, expect, test } from "vitest";
import type { Finding } from "../../../src/policy/finding";
import { parsePolicy } from "../../../src/policy/parse";
import type { PolicyInput } from "../../../src/policy/policy";
import { writePolicy } from "../../../src/policy/written-policy";
import { edge, readPolicy } from "./read-policy";

const shape = (path: string, message: string, fix: string): Finding => {
  return { path, rule: "policy-shape", message, fix };
};
const whole = "Choose a whole number within the limits.";
const oneOfFix = "Set one of them and leave out the others.";

const knock = "gates[0].knock";

describe("a policy", () => {
  test("gets the defaults of its log and of its own tests as well", () => {
    const log = { events: ["opened" as const] };
    expect(readPolicy({ ...edge, log }).log).toEqual({ ...log, prefix: "knockgate", perMinute: 30 });
    const own = { name: "x", from: "192.0.2.1", gate: "ssh", isOpen: false };
    expect(readPolicy({ ...edge, expect: [own] }).expect).toEqual([{ ...own, packets: [], afterSeconds: 0 }]);
  });

  test("keeps all its fields", () => {
    const full = {
      name: "edge-1",
      gates: [
        {
          name: "web",
          protect: [{ tcp: "80" }, { tcp: "8000-8010" }, { udp: "443" }],
          knock: {
            steps: [
              { tcp: 1 },
              { udp: 65_535 },
              { icmpPayloadBytes: 0 },
              { udp: 7, udpPayloadBytes: 1_232 },
              { icmpPayloadBytes: 1_232 },
            ],
            stepTimeoutSeconds: 86_400,
            strict: false,
          },
          openForSeconds: 1,
          singleConnection: true,
        },
      ],
      users: [],
      tokens: { slotSeconds: 10, horizonDays: 90, graceSeconds: 0 },
      allowFrom: ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"],
      denyFrom: ["192.0.2.128/25", "2001:db8:1::/48"],
      backend: "iptables",
      scope: "prerouting",
      stealth: true,
      log: { events: ["opened", "accepted", "dropped", "reset"], prefix: "kg-1_A", perMinute: 10_000 },
      limits: { sources: 1_048_576, firstStepsPerSecond: 0 },
      acceptRisks: ["knock-too-short"],
      expect: [
        {
          name: 'a "friend" enters',
          from: "2001:db8::7",
          packets: [
            { tcp: 1, afterSeconds: 0.5 },
            { udp: 7, udpPayloadBytes: 3, afterSeconds: 0 },
          ],
          gate: "web",
          afterSeconds: 1.5,
          isOpen: true,
        },
      ],
    } satisfies PolicyInput;
    expect(writePolicy(readPolicy(full))).toEqual(full);
  });
});

test.each<readonly [string, unknown, Finding]>([
  [
    "a size of a step that is no datagram",
    withKnock({ steps: [{ tcp: 41_001, udpPayloadBytes: 7 }] }),
    shape(`${knock}.steps[0].udpPayloadBytes`, "is only for a udp step.", "Remove it, or set udp."),
  ],
  [
    "a size beyond what fits any packet",
    withKnock({ steps: [{ icmpPayloadBytes: 1_233 }] }),
    shape(`${knock}.steps[0].icmpPayloadBytes`, "must be at most 1232.", whole),
  ],
  [
    "a size below nothing",
    withKnock({ steps: [{ udp: 41_001, udpPayloadBytes: -1 }] }),
    shape(`${knock}.steps[0].udpPayloadBytes`, "must be at least 0.", whole),
  ],
  [
    "an unknown backend",
    { ...edge, backend: "ufw" },
    shape("backend", "must be nftables or iptables.", "Choose one of them."),
  ],
  [
    "an unknown scope",
    { ...edge, scope: "forward" },
    shape("scope", "must be input or prerouting.", "Choose one of them."),
  ],
  [
    "an unknown event in its log",
    { ...edge, log: { events: ["opened", "closed"] } },
    shape("log.events[1]", "must be opened or accepted or dropped or reset.", "Choose one of them."),
  ],
  [
    "a log of nothing",
    { ...edge, log: { events: [] } },
    shape("log.events", "must not be an empty list.", "Change the number of entries."),
  ],
  [
    "a log's prefix that could end a quoted string",
    { ...edge, log: { events: ["opened"], prefix: 'a"b' } },
    shape("log.prefix", "must be 1 to 12 letters, digits, _ or -.", "Change its spelling."),
  ],
  [
    "room for too few sources",
    { ...edge, limits: { sources: 15 } },
    shape("limits.sources", "must be at least 16.", whole),
  ],
  [
    "an unknown limit",
    { ...edge, limits: { perSecond: 5 } },
    shape(
      "limits",
      "has a field that is not known.",
      "Did you mean firstStepsPerSecond? Else remove it. Known are sources, firstStepsPerSecond.",
    ),
  ],
  [
    "a wrong entry of denyFrom",
    { ...edge, denyFrom: ["192.0.2.7/24"] },
    shape(
      "denyFrom[0]",
      "has bits set beyond its prefix length.",
      'Write "192.0.2.0/24", or a longer prefix.',
    ),
  ],
  [
    "a test of its own without name",
    { ...edge, expect: [{ name: "", from: "192.0.2.1", gate: "ssh", isOpen: true }] },
    shape("expect[0].name", "must not be empty.", "Change its length."),
  ],
  [
    "a test of its own with a name that is too long",
    { ...edge, expect: [{ name: "x".repeat(201), from: "192.0.2.1", gate: "ssh", isOpen: true }] },
    shape("expect[0].name", "must have at most 200 characters.", "Change its length."),
  ],
  [
    "a test of its own from nowhere",
    { ...edge, expect: [{ name: "x", from: "192.0.2.0/24", gate: "ssh", isOpen: true }] },
    shape("expect[0].from", "is not an address.", "Change its spelling."),
  ],
  [
    "a test of its own with a packet of two kinds",
    {
      ...edge,
      expect: [{ name: "x", from: "::1", packets: [{ tcp: 1, udp: 1 }], gate: "ssh", isOpen: true }],
    },
    shape(
      "expect[0].packets[0]",
      "a packet must have exactly one of tcp, udp, icmpPayloadBytes or token.",
      oneOfFix,
    ),
  ],
])("a policy with %s has one finding that says where, what and what to do", (_, raw, finding) => {
  expect(parsePolicy(raw)).toEqual({ kind: "wrong", findings: [finding] });
});

test("a size without a port is not a step, and the finding gives both reasons", () => {
  const reading = parsePolicy(withKnock({ steps: [{ udpPayloadBytes: 7 }] }));
  expect(reading).toMatchObject({
    kind: "wrong",
    findings: [{ path: `${knock}.steps[0]` }, { path: `${knock}.steps[0].udpPayloadBytes` }],
  });
});

function withKnock(knockMore: object): unknown {
  const [gate] = edge.gates;
  return { ...edge, gates: [{ ...gate, knock: { ...gate?.knock, ...knockMore } }] };
}
