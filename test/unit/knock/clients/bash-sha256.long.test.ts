import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { listTokenStates, writeBashTokens } from "../../../../src/knock/clients/bash-sha256";
import type { ClientTokens } from "../../../../src/knock/clients/client-knock";
import { digestBlocks } from "../../../../src/knock/clients/sha256";
import { tokenOf } from "../../../../src/policy/token";

const key = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";

function makeTokens(more: Partial<ClientTokens>): ClientTokens {
  return {
    kind: "tokens",
    carrier: { kind: "udp", port: 62_201 },
    user: "ada",
    key,
    policy: "edge",
    gate: "ssh",
    host: "edge.example.org",
    settings: { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 },
    ...more,
  };
}

/** Runs bash once for many tokens. Prints each as hex digits, and as what a datagram would hold. */
function runBash(cases: readonly ClientTokens[], slots: readonly number[]): readonly string[] {
  const loops = cases.map((tokens) => {
    const all = `for i in ${slots.join(" ")}; do y $i; echo "$t $r"; done`;
    return [...listTokenStates(tokens), all].join("\n");
  });
  const input = [writeBashTokens(), ...loops].join("\n");
  return execFileSync("bash", ["-s"], { input, encoding: "utf8", env: {} }).trim().split("\n");
}

function expectedOf(cases: readonly ClientTokens[], slots: readonly number[]): readonly string[] {
  return cases.flatMap(({ key, policy, gate, host }) =>
    slots.map((slot) => {
      const token = tokenOf(key, { policy, gate, host, slot });
      return `${token} ${token.replaceAll(/../g, "\\x$&")}`;
    }),
  );
}

describe("bash alone makes a token", () => {
  test("whatever length the names and the slot have, so that the message ends anywhere in a block", () => {
    const cases = Array.from({ length: 70 }, (_, index) => makeTokens({ host: "h".repeat(index + 1) }));
    const slots = [7, 498_999, 29_940_000, 100_000_000];
    expect(runBash(cases, slots)).toEqual(expectedOf(cases, slots));
  });

  test("with keys of any length that a policy takes, and names beyond ASCII", () => {
    const cases = ["-_".repeat(32), "A".repeat(32), key].map((key) => makeTokens({ key, gate: "pförtchen" }));
    expect(runBash(cases, [29_940_000])).toEqual(expectedOf(cases, [29_940_000]));
  });

  test("without a byte 0a", () => {
    // Its digest has some.
    const [line = ""] = runBash([makeTokens({})], [29_940_016]);
    expect(line).toBe(expectedOf([makeTokens({})], [29_940_016])[0]);
    expect(line).toMatch(/\\x0b/);
  });
});

test("the states do not show the key, and another gate's last block differs", () => {
  const [one, other] = [makeTokens({}), makeTokens({ gate: "www" })].map((it) =>
    listTokenStates(it).join(" "),
  );
  expect(one).not.toContain(key);
  expect(one).not.toContain(Buffer.from(key).toString("hex"));
  expect(one).not.toBe(other);
});

test("the state after whole blocks is that of SHA-256", () => {
  const text = Buffer.from("a".repeat(119));
  const padding = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(8)]);
  padding.writeUInt16BE(8 * text.length, 7);
  const state = digestBlocks(Buffer.concat([text, padding]));
  expect(state.map((number) => number.toString(16).padStart(8, "0")).join("")).toBe(
    createHash("sha256").update(text).digest("hex"),
  );
});
