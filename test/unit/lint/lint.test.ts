import { describe, expect, test } from "vitest";
import { type LintFinding, lintPolicy, lintRules } from "../../../src/lint/lint";
import { formatFindings } from "../../../src/policy/finding";
import { stepsOf } from "../../../src/policy/knock";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import { payloadBytesOf, portOf } from "../../../src/policy/step";
import { userKey } from "../../../src/policy/token";
import { readPolicy } from "../policy/read-policy";

type StepInput = NonNullable<PolicyInput["gates"][number]["knock"]["steps"]>[number];

const fine: readonly StepInput[] = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const tcp = (...ports: readonly number[]): StepInput[] => ports.map((port) => ({ tcp: port }));
const echo = (...sizes: readonly number[]): StepInput[] => {
  return sizes.map((icmpPayloadBytes) => ({ icmpPayloadBytes }));
};

const sized = (port: number, ...sizes: readonly number[]): StepInput[] => {
  return sizes.map((udpPayloadBytes) => ({ udp: port, udpPayloadBytes }));
};

function gate(steps: readonly StepInput[], more: object = {}, knock: object = {}) {
  return { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps], ...knock }, ...more };
}

function policy(steps: readonly StepInput[] = fine, knock: object = {}, more: object = {}): Policy {
  return readPolicy({ name: "edge", gates: [gate(steps, {}, knock)], ...more });
}

function iptables(steps: readonly StepInput[] = fine, more: object = {}): Policy {
  return policy(steps, {}, { backend: "iptables", ...more });
}

function allowing(...allowFrom: readonly string[]): Policy {
  return policy(fine, {}, { allowFrom });
}

function denying(...denyFrom: readonly string[]): Policy {
  return policy(fine, {}, { denyFrom });
}

/** All of IPv4 in prefixes of one length. */
function cutUp(length: number): readonly string[] {
  return Array.from({ length: 2 ** length }, (_, index) => {
    const address = index * 2 ** (32 - length);
    const bytes = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
    return `${bytes.join(".")}/${length}`;
  });
}

function twoKnocks(one: readonly StepInput[], other: readonly StepInput[]): Policy {
  const web = gate(other, { name: "web", protect: [{ tcp: "443" }] });
  return readPolicy({ name: "edge", gates: [gate(one), web] });
}

function laxWeb(steps: readonly StepInput[]) {
  return gate(steps, { name: "web", protect: [{ tcp: "443" }] }, notStrict);
}

function manyGates(count: number, backend: "nftables" | "iptables"): Policy {
  const gates = Array.from({ length: count }, (_, index) =>
    gate(fine, { name: `gate${index}`, protect: [{ tcp: `${30_000 + index}` }] }),
  );
  return readPolicy({ name: "edge", gates, backend });
}

function withUsers(keys: readonly string[], more: object = {}): Policy {
  const users = keys.map((key, index) => ({ name: `user${index}`, key }));
  const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } };
  return readPolicy({ name: "edge", users, gates: [ssh], ...more });
}

/** For each rule: policies that break it, with the places, and policies that come close but do not break it. */
interface RuleCase {
  readonly breaks: readonly (readonly [Policy, ...string[]])[];
  readonly keeps: readonly Policy[];
}

const goodKey = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";
const knock = "gates[0].knock";
const notStrict = { strict: false };
const cases: Readonly<Record<string, RuleCase>> = {
  "swept-in-order": {
    breaks: [
      [policy(tcp(41_001, 41_002, 41_003)), knock],
      [policy(tcp(41_003, 41_002, 41_001)), knock],
      [policy([{ udp: 41_001 }, { udp: 41_002 }]), knock],
      [policy(tcp(41_001, 43_000, 48_000), notStrict), knock],
      [policy(tcp(48_000, 43_000, 41_001), notStrict), knock],
      // One scan of all TCP ports and then all UDP ports.
      [policy([{ tcp: 41_001 }, { tcp: 43_000 }, { udp: 42_000 }], notStrict), knock],
      [policy([{ udp: 41_001 }, { tcp: 40_000 }], notStrict), knock],
      // Both protocols at each port.
      [policy([{ tcp: 41_001 }, { udp: 41_001 }, { tcp: 41_002 }]), knock],
      [policy([{ tcp: 41_002 }, { udp: 41_001 }, { tcp: 41_001 }]), knock],
      // Sizes in order.
      [policy(sized(41_001, 5, 6, 7)), knock],
      [policy(sized(41_001, 700, 699, 698, 697)), knock],
      [policy(echo(400, 401, 402, 403)), knock],
      [policy(echo(1_232, 1_231)), knock],
      [policy(echo(400, 500, 900), notStrict), knock],
    ],
    keeps: [
      policy(tcp(41_001, 43_000, 48_000)),
      policy(tcp(41_001, 41_002, 41_001)),
      policy(tcp(41_001, 48_000, 43_000), notStrict),
      policy(tcp(41_001)),
      policy([{ tcp: 41_001 }], notStrict),
      policy([{ tcp: 41_001 }, { tcp: 41_002 }, { udp: 41_002 }]),
      policy([{ tcp: 41_001 }, ...echo(400), { tcp: 41_002 }]),
      policy(sized(41_001, 5, 7, 9)),
      policy(echo(100, 101, 100)),
    ],
  },
  "not-strict": {
    breaks: [
      [policy(fine, notStrict), `${knock}.strict`],
      [policy(tcp(17_100, 29_300, 12_000), notStrict), `${knock}.strict`],
      [policy(tcp(41_001), notStrict), `${knock}.strict`],
      [policy(echo(400, 500, 300), notStrict), `${knock}.strict`],
    ],
    keeps: [policy(), policy(tcp(41_001, 41_002), { strict: true })],
  },
  "one-way-steps": {
    breaks: [
      [policy(tcp(41_001, 43_000, 48_000)), knock],
      [policy([{ udp: 48_000 }, { tcp: 43_000 }, { udp: 41_001 }]), knock],
      [policy([...tcp(41_001, 43_000), ...echo(9), ...tcp(48_000)]), knock],
      [policy(echo(400, 410, 420)), knock],
      [policy(sized(41_001, 5, 7, 9)), knock],
    ],
    keeps: [
      policy(),
      policy(tcp(41_001, 48_000)),
      policy([...tcp(41_001, 48_000), ...echo(9)]),
      policy(echo(100, 110, 121)),
      policy(echo(100, 300)),
    ],
  },
  "equal-steps": {
    breaks: [
      [policy(tcp(41_001, 41_001, 35_000)), `${knock}.steps[1]`],
      [policy([{ udp: 41_001 }, { udp: 41_001, udpPayloadBytes: 7 }, ...fine]), `${knock}.steps[1]`],
      [policy(tcp(17_000, 17_000, 17_000)), `${knock}.steps[1]`, `${knock}.steps[2]`],
    ],
    keeps: [policy(tcp(41_001, 35_000, 41_001)), policy(sized(41_001, 5, 6)), policy(echo(7, 7))],
  },
  "neighbouring-steps": {
    breaks: [
      [policy(tcp(41_001, 41_002, 35_000)), knock],
      [policy([{ tcp: 47_000 }, { udp: 41_002 }, { udp: 41_001 }]), knock],
      [policy([{ tcp: 41_001 }, { udp: 41_002 }, { tcp: 35_000 }]), knock],
      [policy([{ tcp: 41_001 }, { udp: 41_001 }, { tcp: 35_000 }]), knock],
      [policy([...sized(41_001, 5, 600), { tcp: 35_000 }]), knock],
      [policy([...echo(400, 401), { tcp: 35_000 }]), knock],
      [policy(tcp(41_001, 41_001, 41_002, 41_002)), knock],
      // Neighbours with a step in between: a scanner may send a packet again late.
      [policy(tcp(41_001, 35_000, 41_002)), knock],
      [policy([{ tcp: 41_001 }, { tcp: 35_000 }, { udp: 41_001 }]), knock],
    ],
    keeps: [
      policy(tcp(41_001, 41_003, 35_000)),
      policy([{ tcp: 41_001 }, { udp: 41_003 }, { tcp: 35_000 }]),
      policy(echo(400, 402, 400)),
      policy([...echo(400), { tcp: 35_000 }, ...echo(401)]),
      policy(tcp(41_001, 41_002, 41_003)),
    ],
  },
  "knock-too-short": {
    breaks: [
      [policy(tcp(41_001)), knock],
      [policy(tcp(41_001, 35_000)), knock],
    ],
    keeps: [policy(), policy(echo(7, 9, 7))],
  },
  "low-entropy": {
    breaks: [
      [policy(tcp(41_001, 35_000)), knock],
      [policy(echo(400, 500, 600)), knock],
      [policy(tcp(41_001, 41_001, 35_000)), knock],
      [policy(tcp(41_001, 35_000, 41_001, 35_000)), knock],
      [policy(sized(41_001, 5, 5, 5)), knock],
    ],
    keeps: [policy(), policy(echo(400, 500, 600, 700)), policy(sized(41_001, 5, 900, 40))],
  },
  "well-known-sequence": {
    breaks: [
      [policy(tcp(7_000, 8_000, 9_000)), knock],
      [policy([{ tcp: 7_000 }, { udp: 8_000 }, { tcp: 9_000 }]), knock],
    ],
    keeps: [policy(tcp(8_000, 7_000, 9_000)), policy(tcp(7_000, 8_000, 9_000, 41_001)), policy()],
  },
  "equal-echo-steps": {
    breaks: [
      [policy(echo(400, 400, 500)), `${knock}.steps[1]`],
      [policy(echo(7, 7, 7)), `${knock}.steps[1]`, `${knock}.steps[2]`],
    ],
    keeps: [policy(echo(400, 500, 400)), policy([...echo(7), ...fine, ...echo(7)])],
  },
  "knock-opens-another": {
    breaks: [
      [twoKnocks([...fine, ...echo(9)], fine), "gates[0].knock"],
      [twoKnocks(fine, [...fine, ...echo(9)]), "gates[1].knock"],
      [twoKnocks(fine, fine), "gates[1].knock"],
      [twoKnocks(fine, [...echo(9), ...fine]), "gates[1].knock"],
      [twoKnocks(fine, [...tcp(47_001), ...echo(9), ...fine, ...echo(9)]), "gates[1].knock"],
      // Sent twice in a row, as by a client that knocks again.
      [twoKnocks([...fine.slice(1), ...fine.slice(0, 1)], fine), "gates[1].knock"],
      // With a size and without.
      [
        twoKnocks([{ udp: 58_002 }, ...echo(9)], [{ udp: 58_002, udpPayloadBytes: 7 }, ...echo(9)]),
        "gates[1].knock",
      ],
      // A repeated step changes nothing.
      [twoKnocks(tcp(47_001, 58_002, 39_003), tcp(47_001, 58_002, 58_002, 39_003)), "gates[1].knock"],
      // A gate that is not strict allows other steps in between.
      [
        readPolicy({ name: "edge", gates: [gate(fine), laxWeb([...fine.slice(0, 1), ...fine.slice(2)])] }),
        knock,
      ],
    ],
    keeps: [
      twoKnocks(fine, [...fine].reverse()),
      twoKnocks(fine, [...fine.slice(0, 2), ...echo(9), ...fine.slice(2)]),
      policy(),
    ],
  },
  "shared-beginning": {
    breaks: [
      [twoKnocks(fine, [...fine.slice(0, 2), { tcp: 31_004 }]), knock, "gates[1].knock"],
      [twoKnocks(fine, [...fine.slice(0, 1), ...tcp(51_004, 31_004)]), knock, "gates[1].knock"],
      [twoKnocks(fine, [...fine, { tcp: 31_004 }]), "gates[1].knock"],
    ],
    keeps: [
      twoKnocks(fine, fine),
      twoKnocks(fine, [...tcp(31_004), ...fine.slice(1)]),
      twoKnocks(
        [...fine, { tcp: 31_004 }],
        [{ tcp: 47_001 }, { udp: 28_002 }, { tcp: 51_004 }, { udp: 18_005 }],
      ),
    ],
  },
  "step-on-service-port": {
    breaks: [
      [policy([{ tcp: 443 }, ...fine]), `${knock}.steps[0]`],
      [policy([...fine, { udp: 53 }]), `${knock}.steps[3]`],
    ],
    keeps: [policy(), policy([...fine, { icmpPayloadBytes: 443 }])],
  },
  "step-dropped-on-the-way": {
    breaks: [[policy([...fine, { tcp: 445 }, { udp: 11_211 }]), `${knock}.steps[3]`, `${knock}.steps[4]`]],
    keeps: [policy(), policy([...fine, { udp: 47_000, udpPayloadBytes: 445 }])],
  },
  "window-too-short": {
    breaks: [
      [policy(fine, { stepTimeoutSeconds: 2 }), `${knock}.stepTimeoutSeconds`],
      [readPolicy({ name: "edge", gates: [gate(fine, { openForSeconds: 4 })] }), "gates[0].openForSeconds"],
    ],
    keeps: [
      readPolicy({ name: "edge", gates: [gate(fine, { openForSeconds: 5 }, { stepTimeoutSeconds: 3 })] }),
      policy(tcp(41_001), { stepTimeoutSeconds: 1 }),
    ],
  },
  "window-too-long": {
    breaks: [
      [policy(fine, { stepTimeoutSeconds: 61 }), `${knock}.stepTimeoutSeconds`],
      [readPolicy({ name: "edge", gates: [gate(fine, { openForSeconds: 601 })] }), "gates[0].openForSeconds"],
    ],
    keeps: [
      readPolicy({ name: "edge", gates: [gate(fine, { openForSeconds: 600 }, { stepTimeoutSeconds: 60 })] }),
    ],
  },
  "allowed-too-wide": {
    breaks: [
      [allowing("10.0.0.0/8", "8.0.0.0/7"), "allowFrom[1]"],
      [allowing("2000::/15", "2000::/3"), "allowFrom[0]", "allowFrom[1]"],
      [allowing("2002::/16", "192.0.2.0/24"), "allowFrom[0]"],
      [allowing("2002:400::/22"), "allowFrom[0]"],
      [allowing("64:ff9b::/96"), "allowFrom[0]"],
      [allowing("64:ff9b::800:0/102"), "allowFrom[0]"],
      [allowing("64:ff9b:1::/48"), "allowFrom[0]"],
      [allowing("2001::/32"), "allowFrom[0]"],
      [allowing("2001:0:4136:e378::/64"), "allowFrom[0]"],
      [allowing("2001::/16"), "allowFrom[0]"],
      [allowing("::fffe:0:0/95"), "allowFrom[0]"],
      [allowing("::/80"), "allowFrom[0]"],
      [allowing("8.0.0.0/8", "11.0.0.0/16"), "allowFrom"],
      [allowing(...cutUp(1)), "allowFrom[0]", "allowFrom[1]"],
      [allowing(...cutUp(8)), "allowFrom"],
      [allowing("8.0.0.0/8", "2002:900::/24"), "allowFrom"],
      [allowing("2600::/16", "2a00::/16"), "allowFrom"],
    ],
    keeps: [
      allowing("10.0.0.0/8", "2001:db8::/33", "192.0.2.7", "2001:db8::7"),
      // All private networks, and prefixes that repeat others.
      allowing("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
      allowing("8.0.0.0/8", "8.8.0.0/16", "2002:800::/24", "64:ff9b::808:0/112"),
      allowing("2002:c000:204::/48", "64:ff9b::c000:204", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
      allowing("2600::/17", "2600:8000::/17"),
    ],
  },
  "denied-everybody": {
    breaks: [[denying("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"), "denyFrom"]],
    keeps: [denying("0.0.0.0/1", "128.0.0.0/1"), denying("::/1", "8000::/1"), denying("192.0.2.0/24")],
  },
  "denied-family": {
    breaks: [
      [denying("0.0.0.0/1", "128.0.0.0/1"), "denyFrom"],
      [denying("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"), "denyFrom"],
      [denying(...cutUp(8)), "denyFrom"],
      [denying("::/1", "8000::/1", "0.0.0.0/1"), "denyFrom"],
      [denying("2000::/3", "fc00::/7"), "denyFrom"],
    ],
    keeps: [
      denying("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"),
      denying("0.0.0.0/1", "128.0.0.0/3", "192.0.0.0/3"),
      denying(...cutUp(8).slice(0, 222)),
      denying("2000::/3"),
    ],
  },
  "allowed-link-local": {
    breaks: [
      [
        policy(fine, {}, { allowFrom: ["192.0.2.7", "fe80::/64", "fe80::1"] }),
        "allowFrom[1]",
        "allowFrom[2]",
      ],
      [policy(fine, {}, { allowFrom: ["169.254.169.254"] }), "allowFrom[0]"],
      [policy(fine, {}, { allowFrom: ["fe00::/8"] }), "allowFrom[0]"],
    ],
    keeps: [policy(fine, {}, { allowFrom: ["fec0::/16", "fd00::/8", "169.253.0.0/16", "10.0.0.0/8"] })],
  },
  "iptables-doubled-step": {
    breaks: [
      [iptables(tcp(41_001, 41_001, 35_000)), `${knock}.steps[1]`],
      [
        iptables([{ udp: 41_001 }, { udp: 41_001, udpPayloadBytes: 7 }, { tcp: 35_000 }]),
        `${knock}.steps[1]`,
      ],
      [iptables(echo(9, 7, 7)), `${knock}.steps[2]`],
    ],
    keeps: [
      policy(tcp(41_001, 41_001, 35_000)),
      iptables(tcp(41_001, 35_000, 41_001)),
      iptables([{ udp: 41_001 }, { tcp: 41_001 }, { udp: 41_001 }]),
      iptables([
        { udp: 41_001, udpPayloadBytes: 8 },
        { udp: 41_001, udpPayloadBytes: 7 },
      ]),
    ],
  },
  "iptables-name-too-long": {
    breaks: [
      [iptables(fine, { gates: [gate(fine, { name: "a-name-of-1-to-14" })] }), "gates[0].name"],
      [iptables(fine, { name: "a-policy-of-seven", gates: [gate(fine, { name: "a" })] }), "name"],
    ],
    keeps: [
      iptables(fine, { gates: [gate(fine, { name: "a-name-of-13" })] }),
      iptables(fine, { name: "a-policy-of-15", gates: [gate(fine, { name: "a" })] }),
      policy(fine, {}, { name: "a-policy-with-a-very-long-name" }),
    ],
  },
  "iptables-log-prefix-too-long": {
    breaks: [
      [
        iptables(fine, {
          log: { events: ["opened", "accepted"], prefix: "twelve-chars" },
          gates: [gate(fine, { name: "sshd-42" })],
        }),
        "log.prefix",
      ],
    ],
    keeps: [
      iptables(fine, {
        log: { events: ["opened", "accepted"], prefix: "twelve-chars" },
        gates: [gate(fine, { name: "sshd-4" })],
      }),
      iptables(fine, {
        log: { events: ["reset"], prefix: "twelve-chars" },
        gates: [gate(fine, { name: "sshd-42" })],
      }),
      policy(fine, {}, { log: { events: ["accepted"], prefix: "twelve-chars" } }),
    ],
  },
  "user-key-weak": {
    breaks: [
      [withUsers(["x".repeat(32)]), "users[0].key"],
      [withUsers([goodKey, "abcdefg".repeat(6)]), "users[1].key"],
      [
        withUsers(["kFq2mZ0w7Jc4Yt9XvB1s".repeat(2), "correct-horse_".repeat(3)]),
        "users[0].key",
        "users[1].key",
      ],
      [withUsers(["kFq2mZ0w7Jc4Yt9XvB1s".repeat(3).slice(0, 45)]), "users[0].key"],
      [withUsers(["abcdefghijklmnopqrstuvwxyz0123456789"]), "users[0].key"],
      [withUsers(["zyxwvutsrqponmlkjihgfedcba9876543210ZYX"]), "users[0].key"],
    ],
    keeps: [
      withUsers([goodKey, userKey({ seed: goodKey, policy: "edge", user: "ada" })]),
      // 32 hex digits, as `openssl rand -hex 16` makes them.
      withUsers(["9f86d081884c7d659a2feaa0c55ad015", "60303ae22b998861bce3b28f33eec1be"]),
      policy(),
    ],
  },
  "iptables-token": {
    breaks: [[withUsers([goodKey], { backend: "iptables" }), "gates[0].knock.token"]],
    keeps: [withUsers([goodKey]), iptables()],
  },
  "iptables-few-sources": { breaks: [[iptables(), "backend"]], keeps: [policy()] },
  "iptables-many-gates": {
    breaks: [[manyGates(11, "iptables"), "gates"]],
    keeps: [manyGates(10, "iptables"), manyGates(11, "nftables")],
  },
};

const broken = Object.entries(cases).flatMap(([id, { breaks }]) =>
  breaks.map(([wrong, ...paths], index) => [id, index, wrong, paths] as const),
);

describe("a rule of the linter", () => {
  test("each has its cases here", () => {
    expect(Object.keys(cases).sort()).toEqual(lintRules.map(({ id }) => id).sort());
  });

  test.each(broken)("%s finds what breaks it, at its place (%i)", (id, _, wrong, paths) => {
    const found = findingsOf(wrong, id);
    expect(found.map(({ path }) => path)).toEqual(paths);
    const rule = lintRules.find((candidate) => candidate.id === id);
    for (const { severity, message, fix } of found) {
      expect(severity).toBe(rule?.severity);
      expect(message).toMatch(/^[a-z].*\.$/);
      expect(fix).toContain(rule?.fix);
    }
  });

  test.each(Object.entries(cases))("%s finds nothing in a policy that only comes close", (id, { keeps }) => {
    expect(keeps.length).toBeGreaterThan(0);
    for (const right of keeps) expect(findingsOf(right, id)).toEqual([]);
  });

  test.each(broken)("%s says no port and no size of a step (%i)", (_id, _index, wrong) => {
    const secrets = wrong.gates.flatMap((gate) =>
      stepsOf(gate).flatMap((step) => [portOf(step), payloadBytesOf(step)].flatMap((value) => value ?? [])),
    );
    const numbers = formatFindings(lintPolicy(wrong).map(withoutReason)).match(/\d+/g) ?? [];
    // Small numbers may also be times, counts and places.
    for (const secret of secrets.filter((value) => value >= 100)) expect(numbers).not.toContain(`${secret}`);
  });
});

describe("acceptRisks", () => {
  test.each(broken)("turns a risk off, and nothing else: %s (%i)", (id, _, wrong) => {
    const rule = lintRules.find((candidate) => candidate.id === id);
    const before = lintPolicy(wrong);
    const after = lintPolicy({ ...wrong, acceptRisks: [id] });
    const others = (found: readonly LintFinding[]) => found.filter((finding) => finding.rule !== id);
    // It is an error to accept a risk that can't be accepted.
    const mistake = rule?.canBeAccepted === true ? [] : [expect.objectContaining({ rule: "unknown-risk" })];
    expect(others(after)).toEqual([...mistake, ...others(before)]);
    const own = after.filter((finding) => finding.rule === id);
    if (rule?.canBeAccepted !== true) expect(own).toEqual(findingsOf(wrong, id));
    else if (rule.severity === "warning") expect(own).toEqual([]);
    else expect(own.map(({ severity }) => severity)).toEqual(findingsOf(wrong, id).map(() => "warning"));
  });

  test("is named in the fix of each risk that can be accepted, and in no other", () => {
    for (const [id, , wrong] of broken) {
      const canBeAccepted = lintRules.find((rule) => rule.id === id)?.canBeAccepted;
      for (const { fix } of findingsOf(wrong, id)) {
        expect(fix.includes(`Or name "${id}" in acceptRisks.`)).toBe(canBeAccepted);
      }
    }
  });

  test("with a word that is not a rule is an error", () => {
    const found = lintPolicy({ ...policy(), acceptRisks: ["low-entropy", "low-entrophy", "toString"] });
    expect(found).toEqual(
      ["low-entrophy", "toString"].map((word, index) => ({
        path: `acceptRisks[${index + 1}]`,
        rule: "unknown-risk",
        severity: "error",
        message: `"${word}" is not a rule of the linter whose risk can be accepted.`,
        fix: "Name the rule as the finding shows it.",
      })),
    );
  });
});

test("a policy without any risk has no findings", () => {
  expect(lintPolicy(policy())).toEqual([]);
});

function findingsOf(wrong: Policy, id: string): readonly LintFinding[] {
  return lintPolicy(wrong).filter(({ rule }) => rule === id);
}

/** Reasons and fixes are the same for all policies, so their numbers are no secrets. */
function withoutReason(finding: LintFinding): LintFinding {
  const why = lintRules.find(({ id }) => id === finding.rule)?.why ?? "";
  return { ...finding, message: finding.message.replace(why, ""), fix: "" };
}
