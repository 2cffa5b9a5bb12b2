import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isIdentifier } from "../../../src/backends/quote";
import { renderPolicy } from "../../../src/backends/render";
import { checkExpectations } from "../../../src/lint/expectations";
import { lintPolicy, lintRules } from "../../../src/lint/lint";
import { formatFindings } from "../../../src/policy/finding";
import { type PolicyReading, parsePolicy } from "../../../src/policy/parse";
import type { PolicyInput } from "../../../src/policy/policy";
import { nearMissPolicy, policyInput, replaceSomewhere } from "../arbitraries";
import { runs } from "../runs";
import { isPossible } from "./possible-policy";
import { edge } from "./read-policy";

const backends = ["nftables", "iptables"] as const;

/** What an attacker might put into a policy file. */
const hostileTexts: readonly string[] = [
  ...['ssh" accept', "ssh'; reboot; '", "$(reboot)", "`reboot`", "ssh\n\t\taccept", "ssh\r\nCOMMIT", "a\0b"],
  ...[
    "ssh }; flush ruleset",
    "-j ACCEPT",
    "--help",
    "../../etc",
    "%s%n",
    "a\\",
    "a\u2028b",
    "ßh",
    "ｓｓｈ",
    "😀",
  ],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "A".repeat(100_000), " ssh", "ssh ", "s s h"],
  ...["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0/8", "010.0.0.1", "0x0a000001", "1", "::/129"],
  ...["fe80::1%eth0", "::ffff:10.0.0.1/100", "2001:db8::/032", "1.2.3.4/0x8", "10.0.0.0/8 accept", "٣.٣.٣.٣"],
  ...["0", "00022", "22 ", "+22", "22-", "-22", "22-21", "65536", "1e3", "22,23", "1-65535", "９０"],
];
const hostileNumbers: readonly unknown[] = [
  ...[-1, -0, 0, 0.5, 65_536, 2 ** 31, 2 ** 53, 1e308, Number.NaN, Number.POSITIVE_INFINITY, 10n, "22"],
];

function hostilePolicy(): fc.Arbitrary<unknown> {
  const value = fc.oneof(
    fc.constantFrom<unknown>(...hostileTexts, ...hostileNumbers),
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom<unknown>(...hostileTexts).map((text) => [text]),
    fc.constant(JSON.parse('{"__proto__": {"tcp": 1}, "constructor": 1}')),
  );
  return replaceSomewhere(completePolicy(), value);
}

const own = { name: "a friend", from: "192.0.2.7", packets: [{ tcp: 22 }], gate: "ssh", isOpen: false };

/** A policy with every field. Each backend supports most such policies. */
function completePolicy(): fc.Arbitrary<PolicyInput> {
  const more = fc.record({
    backend: fc.constantFrom(...backends),
    acceptRisks: fc.subarray(lintRules.map(({ id }) => id)),
  });
  return fc.tuple(policyInput(), more).map(([policy, rest]) => ({ ...policy, ...rest, expect: [own] }));
}

function readAll(raw: unknown): { reading: PolicyReading; text: string } {
  const reading = parsePolicy(raw);
  if (reading.kind === "wrong") return { reading, text: formatFindings(reading.findings) };
  const { policy } = reading;
  return { reading, text: formatFindings([...lintPolicy(policy), ...checkExpectations(policy)]) };
}

describe.each([
  ["nearly right", nearMissPolicy()],
  ["hostile", hostilePolicy()],
  ["anything", fc.anything({ withBigInt: true, withNullPrototype: true, withMap: true })],
] as const)("a policy that is %s", (_, arbitrary: fc.Arbitrary<unknown>) => {
  test("is read and looked through without any failure, and adds nothing to any prototype", () => {
    fc.assert(
      fc.property(arbitrary, (raw) => {
        const { reading, text } = readAll(raw);
        expect(reading.kind === "policy" || text !== "").toBe(true);
        expect(({} as Record<string, unknown>)["tcp"]).toBeUndefined();
      }),
      runs(200),
    );
  });

  test("is refused, or renders to printable ASCII with identifiers for names", () => {
    fc.assert(
      fc.property(arbitrary, (raw) => {
        const reading = parsePolicy(raw);
        if (reading.kind === "wrong") return;
        for (const backend of backends) {
          const policy = { ...reading.policy, backend };
          if (isPossible(policy)) expectHarmless(renderPolicy(policy));
        }
      }),
      runs(200),
    );
  });
});

/** The field that holds a hostile text. */
const places: readonly (readonly [string, (text: string) => unknown])[] = [
  ["the policy's name", (text) => ({ ...edge, name: text })],
  ["a gate's name", (text) => withGate({ name: text })],
  ["a protected port", (text) => withGate({ protect: [{ tcp: text }] })],
  ["a step's port", (text) => withGate({ knock: { steps: [{ tcp: text }] } })],
  ["allowFrom", (text) => ({ ...edge, allowFrom: [text] })],
  ["denyFrom", (text) => ({ ...edge, denyFrom: [text] })],
  ["the log's prefix", (text) => ({ ...edge, log: { events: ["opened"], prefix: text } })],
  ["the backend", (text) => ({ ...edge, backend: text })],
  ["a field's name", (text) => Object.defineProperty({ ...edge }, text, { value: 1, enumerable: true })],
];

test.each(places)("no hostile text in %s reaches a host", (_, make) => {
  for (const text of hostileTexts) {
    const reading = parsePolicy(make(text));
    if (reading.kind === "wrong") continue;
    for (const backend of backends) expectHarmless(renderPolicy({ ...reading.policy, backend }));
    // A valid value is always plain text.
    expect(text).toMatch(/^[\w.:/-]+$/);
  }
});

/** Checks that nothing can end a line, a string or a name early. */
function expectHarmless(text: string): void {
  expect(/[^\t\n -~]/.exec(text)).toBeNull();
  const names = [
    ...text.matchAll(/^\t(?:set|chain|counter) (\S*) \{$|^table inet (\S*) \{$|(?:goto|jump) (\S+)/gm),
    ...text.matchAll(/^:(\S*) - \[0:0\]$|^-A (\S*)|--name (\S*)|--hashlimit-name (\S*)| -[gj] (\S+)/gm),
  ].flatMap((match) => match.slice(1).flatMap((name) => name ?? []));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names.map((word) => word.replace(/,$/, ""))) expect(isIdentifier(name)).toBe(true);
}

function withGate(more: object): unknown {
  return { ...edge, gates: [{ ...edge.gates[0], ...more }] };
}
