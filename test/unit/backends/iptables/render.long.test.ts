import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toAnyPort } from "../../../../src/backends/iptables/match";
import { renderIptables } from "../../../../src/backends/iptables/render";
import { maskSecrets } from "../../../../src/backends/redact";
import { lowerForBackend } from "../../../../src/backends/render";
import { families } from "../../../../src/policy/prefix";
import { revealSecrets } from "../../../../src/ruleset/show";
import { policyInput } from "../../arbitraries";
import { readPolicy } from "../../policy/read-policy";
import { runs } from "../../runs";

/** Policies with enough gates for shared port matches, and without the doubled steps that iptables can't tell apart. */
const policy = fc
  .tuple(policyInput(), fc.integer({ min: 1, max: 18 }), fc.boolean())
  .map(([input, count, stealth]) =>
    readPolicy({
      ...input,
      backend: "iptables",
      stealth,
      gates: Array.from({ length: count }, (_, index) => ({
        ...(input.gates[index % input.gates.length] ?? input.gates[0]),
        name: `gate${index}`,
        protect:
          index % 3 === 0
            ? [{ tcp: `${100 + 10 * index}-${103 + 10 * index}` }]
            : [{ tcp: `${100 + 10 * index}` }],
      })) as typeof input.gates,
    }),
  )
  .filter((read) => lowerForBackend(read).sets.every(({ key }) => key !== "packet"));

describe("the rules for iptables", () => {
  test("name the list of sources in mid-knock before any other, in the order in which each tool loads them", () => {
    fc.assert(
      fc.property(policy, (read) => {
        const ruleset = lowerForBackend(read);
        // With stealth, or if packets of each protocol may concern a gate, the doors come first: docs/backends.md.
        fc.pre(!read.stealth && ruleset.chains.some(({ name }) => name === "mid_knock"));
        for (const family of families) {
          const { chains, rules } = renderIptables(ruleset, family, revealSecrets);
          // iptables-nft passes the chains in the text's order, iptables-legacy sorts them by name (libiptc).
          for (const order of [chains, [...chains].sort()]) {
            const listed = order.flatMap((chain) => rules.filter((rule) => rule.startsWith(`-A ${chain} `)));
            const lists = listed.flatMap((rule) =>
              [...rule.matchAll(/-m recent .*?--name (\S+)/g)].map(([, name]) => name),
            );
            expect(lists[0]).toBe(`kg_${read.name}_mid_knock`);
          }
        }
      }),
      runs(25),
    );
  });

  test("have the same number whether secrets are shown or not", () => {
    fc.assert(
      fc.property(policy, (read) => {
        const [shown, hidden] = [revealSecrets, maskSecrets("key")].map(
          (show) => renderIptables(lowerForBackend(read), "ipv4", show).rules,
        );
        expect(hidden?.length).toBe(shown?.length);
      }),
      runs(25),
    );
  });

  test("name only chains and lists that they have, and jump to each chain", () => {
    fc.assert(
      fc.property(policy, (read) => {
        const [ipv4, ipv6] = families.map((each) =>
          renderIptables(lowerForBackend(read), each, revealSecrets),
        );
        const chains = ipv4?.chains ?? [];
        expect(ipv6?.chains).toEqual(chains);
        // All prefixes may be of one family.
        const rules = [...(ipv4?.rules ?? []), ...(ipv6?.rules ?? [])];
        const targets = rules.flatMap((rule) => / -[jg] (kg_\S+)$/.exec(rule)?.[1] ?? []);
        expect(new Set([chains[0], ...targets])).toEqual(new Set(chains));
        const asked = rules.flatMap((rule) => [...rule.matchAll(/--rcheck --seconds \d+ --name (\S+)/g)]);
        const put = new Set(
          rules.flatMap((rule) => [...rule.matchAll(/--set --name (\S+)/g)].map(([, name]) => name)),
        );
        for (const [, name] of asked) expect(put).toContain(name);
      }),
      runs(25),
    );
  });
});

describe("ports that are matched together", () => {
  const port = fc.oneof(
    fc.integer({ min: 1, max: 65_535 }).map((number) => ({ text: `${number}`, isRange: false, from: [] })),
    fc.constant({ text: "2000:2010", isRange: true, from: [] }),
  );

  test("are all there, in their order, and not more in a match than it can hold", () => {
    fc.assert(
      fc.property(fc.array(port, { maxLength: 60 }), (ports) => {
        const lists = toAnyPort("udp", ports).map(({ words }) => {
          expect(words.slice(0, 3)).toEqual(["-p", "udp", "-m"]);
          expect(words).toHaveLength(6);
          return words[5]?.split(",") ?? [];
        });
        expect(lists.flat()).toEqual(ports.map(({ text }) => text));
        const places = lists.map((list) => list.join(",").split(/[,:]/).length);
        for (const count of places) expect(count).toBeLessThanOrEqual(15);
        // Each match is full: the first port of the next one would not fit.
        for (const count of places.slice(0, -1)) expect(count).toBeGreaterThanOrEqual(14);
      }),
    );
  });

  test.each([
    [["22"], ["-p tcp -m tcp --dport 22"]],
    [["22", "80:90"], ["-p tcp -m multiport --dports 22,80:90"]],
    [[], []],
  ])("%j are matched by %j", (ports, matches) => {
    const texts = ports.map((text) => ({ text, isRange: text.includes(":"), from: [] }));
    expect(toAnyPort("tcp", texts).map(({ words }) => words.join(" "))).toEqual(matches);
  });
});
