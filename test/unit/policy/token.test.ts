import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countSlots, labelTokens, slotAt, tokenOf, userKey } from "../../../src/policy/token";

const key = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";
const seed = "correct-horse-battery-staple-0123456789";
const settings = { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 };
const document = readFileSync(join(__dirname, "..", "..", "..", "docs", "tokens.md"), "utf8");

// The vectors were made by openssl: printf 'knockgate-token-1\0edge\0ssh\0...' | openssl dgst -sha256 -hmac KEY.
const tokens = [
  ["edge", "ssh", "edge.example.org", 29_940_000, "1c70a366cbb9dd0b45cc64882cba4a42"],
  ["edge", "ssh", "192.0.2.7", 29_940_000, "c07a7b36ef213dbedb101f6e8a803a45"],
  ["edge", "wg", "edge.example.org", 29_940_001, "9fac8fb416c591c00783f85cd4a3ee44"],
  // The digests of the first one and of this one have a byte 0a.
  ["edge", "ssh", "edge.example.org", 29_940_016, "2d0be5a7e610790b4daa124b9581df52"],
] as const;
const keys = [
  ["edge", "ada", 1, "ocrD3rI0zNY0xQrKd0XZiaLd2oThlgvbnWh-gVDaSmM"],
  ["edge", "ada", 2, "MSpIojlJ_H3NCF9aOy6Ahh7YphIp-sIpZu81Oh6YKXo"],
  ["edge", "ci", 1, "O5F3tZWldynS-tYhne1uFR_3zDQlG8SJvCcumTnjdVU"],
] as const;

test.each(tokens)(
  "the token of %s, %s, %s and slot %i is the documented one",
  (policy, gate, host, slot, token) => {
    expect(tokenOf(key, { policy, gate, host, slot })).toBe(token);
    expect(document).toContain(`| ${policy} | ${gate} | ${host} | ${slot} | ${token} |`);
  },
);

test.each(keys)(
  "the key of %s, %s and generation %i is the documented one",
  (policy, user, generation, made) => {
    expect(userKey({ seed, policy, user, generation })).toBe(made);
    expect(document).toContain(`| ${policy} | ${user} | ${generation} | ${made} |`);
  },
);

test("the first generation is the default", () => {
  expect(userKey({ seed, policy: "edge", user: "ada" })).toBe(keys[0][3]);
});

test("another policy, gate, host, slot or key makes another token", () => {
  const purpose = { policy: "edge", gate: "ssh", host: "a", slot: 7 };
  const others = [
    { ...purpose, policy: "edgf" },
    { ...purpose, gate: "ssi" },
    { ...purpose, host: "b" },
    { ...purpose, slot: 8 },
  ].map((other) => tokenOf(key, other));
  const all = [tokenOf(key, purpose), tokenOf(`${key}x`, purpose), ...others];
  expect(new Set(all).size).toBe(6);
});

test("parts that only together are alike make another token", () => {
  const one = tokenOf(key, { policy: "ab", gate: "c", host: "d", slot: 1 });
  expect(tokenOf(key, { policy: "a", gate: "bc", host: "d", slot: 1 })).not.toBe(one);
  expect(tokenOf(key, { policy: "ab", gate: "c", host: "d1", slot: 1 })).not.toBe(one);
});

test("no token has a byte that ends a line", () => {
  fc.assert(
    fc.property(fc.nat(), (slot) => {
      const token = tokenOf(key, { policy: "edge", gate: "ssh", host: "a", slot });
      expect(token).toMatch(/^[0-9a-f]{32}$/);
      expect(Buffer.from(token, "hex").includes(0x0a)).toBe(false);
    }),
  );
});

test.each([
  ["a short seed", { seed: "x".repeat(31) }, "at least 32 characters"],
  ["generation 0", { generation: 0 }, "a whole number from 1"],
  ["half a generation", { generation: 1.5 }, "a whole number from 1"],
])("%s is refused, and the seed is not shown", (_, wrong, message) => {
  const make = () => userKey({ seed, policy: "edge", user: "ada", ...wrong });
  expect(make).toThrow(message);
  expect(make).not.toThrow(/xxxx|horse/);
});

describe("slots", () => {
  test.each([
    [0, 60, 0],
    [59_999, 60, 0],
    [60_000, 60, 1],
    [1_796_400_000_000, 60, 29_940_000],
    [1_796_400_000_000, 30, 59_880_000],
  ])("%i ms are in a slot of %i s: %i", (ms, slotSeconds, slot) => {
    expect(slotAt(ms, slotSeconds)).toBe(slot);
  });

  test("a set has room for the slots to the horizon and those in their grace", () => {
    expect(countSlots(settings)).toBe(10_080 + 2 + 1);
    expect(countSlots({ slotSeconds: 3_600, horizonDays: 1, graceSeconds: 0 })).toBe(25);
  });
});

test("another key or another setting has another label", () => {
  const labels = [
    labelTokens(key, settings),
    labelTokens(`${key}x`, settings),
    labelTokens(key, { ...settings, slotSeconds: 30 }),
    labelTokens(key, { ...settings, horizonDays: 8 }),
    labelTokens(key, { ...settings, graceSeconds: 0 }),
  ];
  expect(new Set(labels).size).toBe(5);
  expect(labels.every((label) => /^[0-9a-f]{8}$/.test(label))).toBe(true);
});
