import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { identifier, isIdentifier, quoteNftables } from "../../../src/backends/quote";

const toCharacter = (code: number) => String.fromCodePoint(code);

/** Mostly allowed characters, so that many texts are accepted. */
const characters = fc.oneof(
  { weight: 60, arbitrary: fc.integer({ min: 0x20, max: 0x7e }).map(toCharacter) },
  { weight: 1, arbitrary: fc.nat(0x10ffff).map(toCharacter) },
);

describe("a string for nftables", () => {
  test.each([
    ["", '""'],
    ["ssh: step 2 taken", '"ssh: step 2 taken"'],
    ["a'b`c$d#e;f{g}h\\".replace("\\", ""), '"a\'b`c$d#e;f{g}h"'],
    ["~!@%^&*()_+-=[]|:<>?,./", '"~!@%^&*()_+-=[]|:<>?,./"'],
    ["x".repeat(127), `"${"x".repeat(127)}"`],
  ])("is %j within quotes", (text, quoted) => {
    expect(quoteNftables(text)).toBe(quoted);
  });

  test.each([
    ["a quote, which would end it", 'ssh" accept'],
    ["a backslash, which nft has no meaning for", "a\\b"],
    ["a line break", "a\nb"],
    ["a line break at its end", "a\n"],
    ["a carriage return", "a\rb"],
    ["a tab", "a\tb"],
    ["a NUL", "a\0b"],
    ["DEL", "a\x7fb"],
    ["anything beyond ASCII", "Tür"],
    ["a line separator", "a\u2028b"],
    ["more than a comment can hold", "x".repeat(128)],
  ])("is refused when it holds %s", (_, text) => {
    expect(() => quoteNftables(text)).toThrow("not a string for nftables");
  });

  test("is either refused, or unchanged between the only two quotes", () => {
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 140 }), (text) => {
        let quoted: string;
        try {
          quoted = quoteNftables(text);
        } catch {
          return;
        }
        expect(quoted.slice(1, -1)).toBe(text);
        expect(quoted).toMatch(/^"[^"\\\n]*"$/);
      }),
    );
  });
});

describe("an identifier for nftables", () => {
  test.each(["a", "A1", "knockgate_edge", "ssh_step16_v6", "a-b-_c", "x".repeat(127)])(
    "is %j as it is",
    (text) => {
      expect(identifier(text)).toBe(text);
      expect(isIdentifier(text)).toBe(true);
    },
  );

  test.each([
    ...[
      "",
      "1a",
      "_a",
      "-a",
      "a b",
      "a.b",
      "a/b",
      "a;b",
      "a{",
      "@a",
      "a\n",
      "\na",
      "ä",
      "a\0",
      "x".repeat(128),
    ],
    ...["a }; delete table inet filter", "$(id)", '"a"'],
  ])("is not %j", (text) => {
    expect(() => identifier(text)).toThrow("not an identifier for nftables");
    expect(isIdentifier(text)).toBe(false);
  });
});
