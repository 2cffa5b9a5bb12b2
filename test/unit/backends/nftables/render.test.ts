import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { familySetName, tableName } from "../../../../src/backends/nftables/names";
import { renderNftables, setShape } from "../../../../src/backends/nftables/render";
import { lowerForBackend } from "../../../../src/backends/render";
import type { Ruleset } from "../../../../src/ruleset/ruleset";
import { gateName, policyInput } from "../../arbitraries";
import { readPolicy } from "../../policy/read-policy";
import { runs } from "../../runs";

/** One policy in eight has 16 gates or more, because such a one takes as long as many small ones. */
const often = runs(50);

const render = (input: Parameters<typeof readPolicy>[0]) =>
  renderNftables(lowerForBackend(readPolicy(input)));

describe("the rendered text", () => {
  test("is the same bytes for the same policy", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        expect(render(structuredClone(input))).toBe(render(input));
      }),
      often,
    );
  });

  test("does not depend on the order in which the policy's fields stand", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        expect(render(reverseKeys(input))).toBe(render(input));
      }),
      often,
    );
  });

  test("does not depend on order or repetition in allowFrom, denyFrom and protect", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        const { gates, allowFrom = [], denyFrom = [] } = input;
        const turned = gates.map((gate) => ({
          ...gate,
          protect: [...gate.protect, ...gate.protect].reverse(),
        }));
        const double = (texts: readonly string[]) => [...texts, ...texts].reverse();
        const other = { ...input, gates: turned, allowFrom: double(allowFrom), denyFrom: double(denyFrom) };
        expect(render(other)).toBe(render(input));
      }),
      often,
    );
  });

  test("tells policies apart that differ in a time, a step or strictness", () => {
    const gate = {
      name: "ssh",
      protect: [{ tcp: "22" }],
      knock: { steps: [{ tcp: 1 }, { tcp: 2 }, { tcp: 3 }] },
    };
    const changes = [
      {},
      { openForSeconds: 31 },
      { knock: { ...gate.knock, stepTimeoutSeconds: 6 } },
      { knock: { ...gate.knock, strict: false } },
      { knock: { steps: [{ tcp: 1 }, { tcp: 3 }, { tcp: 2 }] } },
      { knock: { steps: [{ tcp: 1 }, { udp: 2 }, { tcp: 3 }] } },
      { protect: [{ tcp: "22-23" }] },
    ];
    const texts = changes.map((change) => render({ name: "edge", gates: [{ ...gate, ...change }] }));
    expect(new Set(texts).size).toBe(changes.length);
  });

  test("has each rule about a source for IPv4 and for IPv6", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        const { sets, rules } = splitFamilies(render({ ...input, allowFrom: [], denyFrom: [] }));
        expect(sets.ipv6).toEqual(sets.ipv4);
        // The families differ in what is link-local.
        const known = (rule: string) => rule.replace(/ != (169\.254\.0\.0\/16|fe80::\/10)/, " != LINK");
        expect(rules.ipv6.map(known)).toEqual(rules.ipv4.map(known));
        expect(rules.ipv4.length).toBeGreaterThan(0);
      }),
    );
  });

  test("uses only counters, sets and chains that it declares, and declares no set or chain that it does not use", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        const text = render(input);
        const namesOf = (pattern: RegExp) => new Set([...text.matchAll(pattern)].map(([, name]) => name));
        expect(namesOf(/@([\w-]+)/g)).toEqual(namesOf(/^\tset ([\w-]+) \{/gm));
        const counters = namesOf(/^\tcounter ([\w-]+) \{/gm);
        for (const name of namesOf(/counter name "([\w-]+)"/g)) expect(counters).toContain(name);
        const called = namesOf(/(?:goto|jump) ([\w-]+)/g);
        expect(namesOf(/^\tchain ([\w-]+) \{/gm)).toEqual(called.add("input"));
      }),
    );
  });

  test("ends with a line break, and every closing brace stands on a line of its own", () => {
    fc.assert(
      fc.property(policyInput(), (input) => {
        const text = render(input);
        expect(text).toMatch(/\n\}\n$/);
        expect(text).not.toMatch(/\n\n\n|[ \t]\n|\S\}\n/);
      }),
    );
  });
});

const empty: Ruleset = { policy: "edge", scope: "input", counters: [], sets: [], tokenSets: [], chains: [] };

describe("names in the kernel", () => {
  test("are identifiers for all names that a policy can have, all different", () => {
    fc.assert(
      fc.property(fc.uniqueArray(gateName(), { minLength: 2, maxLength: 2 }), ([one = "", other = ""]) => {
        expect(tableName(one)).not.toBe(tableName(other));
        expect(familySetName(one, "ipv4")).not.toBe(familySetName(one, "ipv6"));
        expect(familySetName(one, "ipv4")).not.toBe(familySetName(other, "ipv4"));
      }),
    );
  });

  test("are refused when they are not identifiers", () => {
    expect(() => tableName("a b")).toThrow("not an identifier");
    expect(() => familySetName("a;b", "ipv4")).toThrow("not an identifier");
    expect(() => renderNftables({ ...empty, policy: "edge }" })).toThrow("not an identifier");
    const chain = { name: "input {", from: [], rules: [] };
    expect(() => renderNftables({ ...empty, chains: [chain] })).toThrow("not an identifier");
    const verdict = { kind: "goto", chain: "x; drop" } as const;
    const rule = { from: [], matches: [], effects: [], verdict };
    const input = { name: "input", from: [], rules: [rule] };
    expect(() => renderNftables({ ...empty, chains: [input] })).toThrow("not an identifier");
  });

  test("a comment that can't be quoted is refused", () => {
    const rule = { comment: 'ssh" accept', from: [], matches: [], effects: [] };
    const input = { name: "input", from: [], rules: [rule] };
    expect(() => renderNftables({ ...empty, chains: [input] })).toThrow("not a string");
  });
});

test("a set's shape tells what can't be changed in place, and is what the text declares", () => {
  const from = { from: [], timeoutFrom: [], sizeFrom: [] };
  const shape = { key: "packet", timeoutSeconds: 5, size: 512 } as const;
  const set = { name: "ssh_packet1", role: "progress", ...shape, ...from } as const;
  expect(setShape(set, "ipv4")).toEqual({ type: "ipv4_addr . inet_service", size: 512 });
  expect(setShape({ ...set, key: "source" }, "ipv6")).toEqual({ type: "ipv6_addr", size: 512 });
  const text = renderNftables({ ...empty, sets: [set] });
  expect(text).toContain("\t\ttype ipv4_addr . inet_service\n\t\tsize 512\n\t\tflags dynamic,timeout\n");
  expect(text).toContain("\t\ttype ipv6_addr . inet_service\n");
});

function reverseKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reverseKeys) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, field]) => [key, reverseKeys(field)])) as T;
}

/** Each family's lines without the family's own words: the rest must be the same for both. */
function splitFamilies(text: string) {
  const lines = text.split("\n");
  const pick = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).map(neutral);
  return {
    sets: { ipv4: pick(/^\tset .*_v4 /), ipv6: pick(/^\tset .*_v6 /) },
    rules: { ipv4: pick(/\bip saddr|\bicmp type/), ipv6: pick(/\bip6 saddr|\bicmpv6 type/) },
  };
}

function neutral(line: string): string {
  return line
    .replace(/_v[46]\b/g, "")
    .replace(/\bip(6?) length (vmap )?(\d+|\{[^}]*\})/g, (_, six: string, map = "", values: string) => {
      const headers = six === "" ? 28 : 8;
      return `length ${map}${values.replace(/(?<=^|[{,] )\d+/g, (length) => `${Number(length) - headers}`)}`;
    })
    .replace(/\bip6? saddr & [\w.:]+/g, "network")
    .replace(/\bip6? saddr/g, "saddr")
    .replace(/\bicmp(v6)? type/g, "icmp type");
}
