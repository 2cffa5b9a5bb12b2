import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { lintPolicy, lintRules } from "../../../src/lint/lint";
import type { Policy } from "../../../src/policy/policy";
import { readPolicy } from "../policy/read-policy";

const folder = join(__dirname, "..", "..", "golden");
const cases = readdirSync(folder);

/** Policies that iptables can't express, and the rules that say so. */
const unsupported: Readonly<Record<string, readonly string[]>> = {
  "long-names": ["iptables-doubled-step", "iptables-name-too-long"],
  "repeated-port-adjacent": ["iptables-doubled-step"],
  token: ["iptables-token"],
  "token-echo-and-sequence": ["iptables-token"],
  "token-users": ["iptables-token"],
};

test("there are golden rulesets", () => {
  expect(cases.length).toBeGreaterThanOrEqual(17);
  expect(cases).toEqual(expect.arrayContaining(Object.keys(unsupported)));
});

// A difference here is a difference on every host: read it, then update with `vitest run -u`.
test.each(cases)("the policy %s is rendered as its golden nftables.nft", async (name) => {
  const text = renderPolicy(readCase(name, "nftables"));
  await expect(text).toMatchFileSnapshot(join(folder, name, "nftables.nft"));
});

test.each(cases.filter((name) => !(name in unsupported)))(
  "the policy %s is rendered as its golden iptables.rules",
  async (name) => {
    const policy = readCase(name, "iptables");
    expect(findImpossible(policy)).toEqual([]);
    await expect(renderPolicy(policy)).toMatchFileSnapshot(join(folder, name, "iptables.rules"));
  },
);

test.each(Object.entries(unsupported))("the policy %s is refused for iptables by %j", (name, rules) => {
  expect(findImpossible(readCase(name, "iptables"))).toEqual(rules);
  expect(findImpossible(readCase(name, "nftables"))).toEqual([]);
  expect(existsSync(join(folder, name, "iptables.rules"))).toBe(false);
});

function readCase(name: string, backend: Policy["backend"]): Policy {
  return readPolicy({ ...JSON.parse(readFileSync(join(folder, name, "policy.json"), "utf8")), backend });
}

/** The rules with findings that can't be accepted. */
function findImpossible(policy: Policy): readonly string[] {
  const impossible = new Set(lintRules.filter((rule) => !rule.canBeAccepted).map(({ id }) => id));
  const found = lintPolicy(policy).map(({ rule }) => rule);
  return [...new Set(found)].filter((id) => impossible.has(id)).sort();
}
