import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeMarkdown, escapeMermaid, escapeTerminal, escapeXml } from "../../../src/explain/escape";

/** All strings that JavaScript can hold, many of them with the characters of mark-up. */
const hostile = () =>
  fc.oneof(
    fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
    fc.string({
      unit: fc.constantFrom(..."<>&\"'`|\\*_#;:-!@~[]{}$\n\r\t\u001b\u202e\u0000\ud800www.".split("")),
    }),
    fc.constantFrom(
      "</style><script>alert(1)</script>",
      "a | b",
      "http://x.example/",
      "-->",
      "]]>",
      "\ufffe",
    ),
  );

const shown = (text: string) => escapeTerminal(text);

test.each([
  ["terminal", escapeTerminal, "a\u001b[2Jb\nc", "a\\u{1b}[2Jb\\u{a}c"],
  ["terminal", escapeTerminal, "a\u202eb", "a\\u{202e}b"],
  ["terminal", escapeTerminal, "grün – 門", "grün – 門"],
  [
    "Markdown",
    escapeMarkdown,
    "<b> a|b *c* _d_ `e` [f](g)",
    "\\<b\\> a\\|b \\*c\\* \\_d\\_ \\`e\\` \\[f\\](g)",
  ],
  ["Markdown", escapeMarkdown, "https://a.example www.b.example", "https\\://a.example www\\.b.example"],
  ["Markdown", escapeMarkdown, ":key: 57 bits: &lt;", "\\:key: 57 bits: \\&lt;"],
  ["XML", escapeXml, "<a href=\"x\" y='z'>&", "&#60;a href=&#34;x&#34; y=&#39;z&#39;&#62;&#38;"],
  ["XML", escapeXml, "\u0000\ud800\uffff", "\\u{0}\\u{d800}\\u{ffff}"],
  ["Mermaid", escapeMermaid, 'port <ssh-1:2e8ce9>; "x"', "port #60;ssh-1#58;2e8ce9#62;#59; #34;x#34;"],
  ["Mermaid", escapeMermaid, "a --> b", "a -#45;#62; b"],
])("for %s", (_, escapeText, text, expected) => {
  expect(escapeText(text)).toBe(expected);
});

describe("whatever a text holds", () => {
  test("a terminal gets nothing that moves its cursor or hides what is there", () => {
    fc.assert(
      fc.property(hostile(), (text) => !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(escapeTerminal(text))),
    );
  });

  test("XML gets characters alone, and shows the same text", () => {
    fc.assert(
      fc.property(hostile(), (text) => {
        const escaped = escapeXml(text);
        expect(escaped).not.toMatch(/[<>"']|&(?!#\d+;)|[\ufffe\uffff]/);
        const read = escaped.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
        expect(read).toBe(
          shown(text).replace(/[\ufffe\uffff]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`),
        );
      }),
    );
  });

  test("Markdown gets no mark that is not escaped, and shows the same text", () => {
    fc.assert(
      fc.property(hostile(), (text) => {
        const escaped = escapeMarkdown(text);
        expect(escaped.replace(/\\[!-/:-@[-`{-~]/g, " ")).not.toMatch(
          /[\\`*_{}[\]<>#|~!@$&\n\r]|:\/\/|www\./i,
        );
        expect(escaped.replace(/\\([!-/:-@[-`{-~])/g, "$1")).toBe(shown(text));
      }),
    );
  });

  test("a Mermaid label gets letters, digits and entities alone, and shows the same text", () => {
    fc.assert(
      fc.property(hostile(), (text) => {
        const escaped = escapeMermaid(text);
        expect(escaped).toMatch(/^(?:[A-Za-z0-9 ,.()/-]|#\d+;)*$/);
        expect(escaped).not.toContain("--");
        const read = escaped.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
        expect(read).toBe(shown(text));
      }),
    );
  });
});
