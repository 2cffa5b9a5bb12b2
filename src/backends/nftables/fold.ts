import type { Family } from "../../policy/prefix.js";

/** The first line of a folded text. No ruleset of nftables begins like this. */
const head = "# ip*, _v* and A|B: one line for IPv4 and IPv6";

/** Words that differ by the family, and the word that stands for both. */
const endings = [
  { ipv4: "_v4", ipv6: "_v6", both: "_v*" },
  { ipv4: "ip", ipv6: "ip6", both: "ip*" },
  { ipv4: "ipv4_addr", ipv6: "ipv6_addr", both: "ipv*_addr" },
] as const;

/**
 * Shortens a table for the state and for people: what stands in it twice, once for each family, becomes one block or
 * one line, and a tab one space. Returns a text as it is where nothing can be folded.
 */
export function foldFamilies(text: string): string {
  const blocks = fold(text.replaceAll("\t", " ").split("\n\n"), foldBlock);
  const folded = `${head}\n${blocks.map(foldLines).join("\n\n")}`;
  // The text of a host may have something of a folded text in it.
  return folded.length < text.length && unfoldFamilies(folded) === text ? folded : text;
}

/** Returns the text that `foldFamilies` was given. */
export function unfoldFamilies(text: string): string {
  if (!text.startsWith(`${head}\n`)) return text;
  const blocks = text.slice(head.length + 1).split("\n\n");
  const all = blocks.flatMap((block) => unfold(block, isOfBoth(block.split("\n", 1)[0] ?? "")));
  return all.join("\n\n").replace(/^ +/gm, (spaces) => "\t".repeat(spaces.length));
}

/** Joins each entry with the next one where that can be done. */
function fold(
  entries: readonly string[],
  join: (one: string, next: string) => string | undefined,
): readonly string[] {
  const folded: string[] = [];
  for (let index = 0; index < entries.length; index += 1) {
    const [one = "", next] = entries.slice(index, index + 2);
    const both = next === undefined ? undefined : join(one, next);
    folded.push(both ?? one);
    if (both !== undefined) index += 1;
  }
  return folded;
}

function foldBlock(one: string, next: string): string | undefined {
  const both = joinEach(one.split("\n"), next.split("\n"), joinLine);
  return both !== undefined && isOfBoth(both[0] ?? "") ? both.join("\n") : undefined;
}

function foldLines(block: string): string {
  const [first = "", ...lines] = block.split("\n");
  if (isOfBoth(first)) return block;
  return [first, ...fold(lines, foldLine)].join("\n");
}

function foldLine(one: string, next: string): string | undefined {
  const both = joinLine(one, next);
  return both !== undefined && isOfBoth(both) ? both : undefined;
}

/** Returns `undefined` when the lines differ in more than the family. */
function joinLine(one: string, next: string): string | undefined {
  return joinEach(splitWords(one), splitWords(next), joinWord)?.join("");
}

/** Joins two lists part by part. Stops at the first two parts that can't be joined. */
function joinEach(
  parts: readonly string[],
  nextParts: readonly string[],
  join: (one: string, next: string) => string | undefined,
): readonly string[] | undefined {
  if (parts.length !== nextParts.length) return undefined;
  const joined: string[] = [];
  for (const [index, part] of parts.entries()) {
    const both = join(part, nextParts[index] ?? "");
    if (both === undefined) return undefined;
    joined.push(both);
  }
  return joined;
}

function joinWord(one: string, next: string): string | undefined {
  if (one === next) return one;
  if (/^[\d./]+$/.test(one) && /^[\da-f:./]+$/.test(next)) return `${one}|${next}`;
  for (const { ipv4, ipv6, both } of endings) {
    const start = one.slice(0, -ipv4.length);
    if (one === start + ipv4 && next === start + ipv6) return start + both;
  }
  return undefined;
}

function isOfBoth(line: string): boolean {
  return unfoldLine(line, "ipv4") !== line;
}

function unfold(block: string, isWhole: boolean): readonly string[] {
  if (isWhole) return [unfoldLine(block, "ipv4"), unfoldLine(block, "ipv6")];
  const lines = block.split("\n").flatMap((line) => {
    return isOfBoth(line) ? [unfoldLine(line, "ipv4"), unfoldLine(line, "ipv6")] : [line];
  });
  return [lines.join("\n")];
}

function unfoldLine(line: string, family: Family): string {
  return /[*|]/.test(line) ? line.replace(/\S+/g, (word) => unfoldWord(word, family)) : line;
}

function unfoldWord(word: string, family: Family): string {
  const ending = endings.find(({ both }) => word.endsWith(both));
  if (ending !== undefined) return word.slice(0, -ending.both.length) + ending[family];
  const [, ipv4, ipv6] = /^([\d./]+)\|([\da-f:./]+)$/.exec(word) ?? [];
  return (family === "ipv4" ? ipv4 : ipv6) ?? word;
}

/** Splits a text into words and what is between them. */
function splitWords(text: string): readonly string[] {
  return text.split(/(\s+)/);
}
