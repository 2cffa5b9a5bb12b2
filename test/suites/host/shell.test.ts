import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { joinWords, quoteText, quoteWord } from "../../../src/ssh/quote-shell";

/** Near-misses: characters with a meaning in sh, and others. */
const piece = fc.oneof(
  fc.constantFrom(
    ..."'\"`$\\!*?[]{}()<>|&;#~=%^ \t\n\r",
    "''",
    "'\\''",
    "$(id)",
    "$HOME",
    "\\n",
    "--",
    "-e",
    "~root",
    "%s",
    "KNOCKGATE_END",
  ),
  fc.string({ unit: "grapheme", maxLength: 4 }),
);

const word = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("").replaceAll("\0", ""));

/** One sh for many words. Each word comes back with a NUL behind it, which no word can hold. */
function echoThroughShell(shell: readonly string[], words: readonly string[]): string[] {
  const [tool = "", ...args] = shell;
  const program = `printf '%s\\0' ${joinWords(words)}\n`;
  const { stdout, stderr, status } = spawnSync(tool, [...args, "-s"], { input: program, encoding: "utf8" });
  if (status !== 0) throw new Error(`sh: ${stderr}`);
  return stdout.split("\0").slice(0, -1);
}

test("gives every word to sh unchanged, many on one line", () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 60 }), (words) => {
      expect(echoThroughShell(["sh"], words)).toEqual(words);
    }),
    { numRuns: 60 },
  );
});

test("leaves plain words plain and quotes the empty one", () => {
  expect(joinWords(["arm", "edge", "0a-1b", "60"])).toBe("arm edge 0a-1b 60");
  expect(joinWords(["", "it's"])).toBe(`'' 'it'\\''s'`);
});

test("refuses a NUL, which no word for sh can hold", () => {
  expect(() => quoteWord("a\0b")).toThrow("NUL");
});

/** Lines as in rulesets and scripts. */
const text = fc
  .array(fc.array(piece.map(toAscii), { maxLength: 6 }), { minLength: 1, maxLength: 12 })
  .map((lines) => lines.map((pieces) => `${pieces.join("")}\n`).join(""));

function toAscii(part: string): string {
  return part.replaceAll(/[^\t\n -~]/g, "");
}

test("passes the text of a word on unchanged, but for its last line break", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 12 }), (texts) => {
      const program = texts.map((one) => `printf '%s\\n\\0' ${quoteText(one)}\n`).join("");
      const { stdout } = spawnSync("sh", ["-s"], { input: program, encoding: "utf8" });
      expect(stdout.split("\0").slice(0, -1)).toEqual(texts);
    }),
    { numRuns: 60 },
  );
});

test.each([
  ["without a line break at its end", "table inet edge {"],
  ["that is empty", ""],
  // dash 0.5.12 takes some bytes above 127 for its own.
  ["that dash would change", "Kn\u00f6chel\nK\u00e9\n"],
])("refuses a text %s", (_what, text) => {
  expect(() => quoteText(text)).toThrow("not a text for sh");
});
