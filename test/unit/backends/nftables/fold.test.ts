import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldFamilies, unfoldFamilies } from "../../../../src/backends/nftables/fold";

const golden = join(__dirname, "..", "..", "..", "golden");
const texts = readdirSync(golden).map((name) => {
  return [name, readFileSync(join(golden, name, "nftables.nft"), "utf8")] as const;
});

const table = (...lines: readonly string[]) => ["table inet knockgate_edge {", ...lines, "}", ""].join("\n");
const head = "# ip*, _v* and A|B: one line for IPv4 and IPv6\n";

describe("a folded table", () => {
  test.each(texts)("is shorter by a fifth or more, and unfolds to the same: %s", (_name, text) => {
    const folded = foldFamilies(text);
    expect(folded.length).toBeLessThan(text.length * 0.8);
    expect(unfoldFamilies(folded)).toBe(text);
  });

  test("has one block and one line for both families, and says so in its first line", () => {
    const sets = (family: string, address: string) => [
      `\tset ssh_open_${family} {`,
      `\t\ttype ${address}`,
      "\t\tsize 65536",
      "\t\tflags dynamic,timeout",
      "\t}",
      "",
    ];
    const chain = (...lines: readonly string[]) => ["\tchain input {", "\t\taccept", ...lines, "\t}"];
    const counter = ["\tcounter ssh_opened {", "\t}", ""];
    const text = table(
      ...counter,
      ...sets("v4", "ipv4_addr"),
      ...sets("v6", "ipv6_addr"),
      ...chain("\t\tip saddr != 169.254.0.0/16 drop", "\t\tip6 saddr != fe80::/10 drop"),
    );
    const short = table(
      ...counter,
      ...sets("v*", "ipv*_addr"),
      ...chain("\t\tip* saddr != 169.254.0.0/16|fe80::/10 drop"),
    );
    expect(foldFamilies(text)).toBe(head + short.replaceAll("\t", " "));
  });

  test("keeps what only one family has", () => {
    const pair = ["\t\tip saddr @ssh_open_v4 accept", "\t\tip6 saddr @ssh_open_v6 accept"];
    const lines = [
      "\tchain a {",
      "\t\tip saddr @ssh_step1_v4 accept",
      "\t}",
      "",
      "\tchain b {",
      ...pair,
      ...pair,
      "\t}",
    ];
    const folded = foldFamilies(table(...lines));
    expect(folded).toContain(" chain a {\n  ip saddr @ssh_step1_v4 accept\n }");
    expect(folded.match(/ip\* saddr @ssh_open_v\* accept/g)).toHaveLength(2);
  });

  test("is the text itself where nothing can be folded, or where folding would lose something", () => {
    const pairs = Array(9).fill(["\t\tip saddr @a_v4 accept", "\t\tip6 saddr @a_v6 accept"]).flat();
    for (const text of ["", "*filter\nCOMMIT\n", table("\t\tip* saddr @a_v* accept", ...pairs)]) {
      expect(foldFamilies(text)).toBe(text);
      expect(unfoldFamilies(text)).toBe(text);
    }
  });
});

test("any lines of a table fold and unfold to the same", () => {
  const pieces = [
    "\t\tip saddr @a_v4",
    "\t\tip6 saddr @a_v6",
    "\tset a_v4 {",
    "\tset a_v6 {",
    "\t}",
    "",
    "1.2.3.0|::",
  ];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(text, (some) => {
      expect(unfoldFamilies(foldFamilies(some))).toBe(some);
    }),
  );
});
