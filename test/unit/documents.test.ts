import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(__dirname, "..", "..");
const index = "docs/README.md";

/** All pages in Markdown, except the API reference, which is not committed, and a fragment of pictures. */
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...listFiles("docs", /\.md$/),
].filter((path) => !/^docs\/(api|pictures)\//.test(path));

function listFiles(folder: string, name: RegExp): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => `${folder}/${path}`)
    .filter((path) => name.test(path))
    .sort();
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** A page's text without blocks of code, which have no links and no headings. */
function readProse(path: string): string {
  return read(path).replace(/^ *```[\s\S]*?^ *```$/gm, "");
}

/** The targets of a page's links and pictures, except those outside the repository. */
function listLinks(path: string): readonly string[] {
  const prose = readProse(path).replace(/`[^`\n]*`/g, "");
  const found = prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g);
  return [...found]
    .map(([, inText, inTag]) => inText ?? inTag ?? "")
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors that forges make of a page's headings. */
function listAnchors(path: string): readonly string[] {
  const counts = new Map<string, number>();
  return [...readProse(path).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = ""]) => {
    const anchor = heading
      .replace(/\]\([^)]*\)/g, "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** Tells whether a link's file or folder is missing, or the heading of its anchor. */
function isDead(from: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? from : relative(root, join(root, from, "..", path));
  if (target.startsWith("..") || !existsSync(join(root, target))) return true;
  if (anchor === undefined) return false;
  return statSync(join(root, target)).isDirectory() || !listAnchors(target).includes(anchor);
}

test("every link in the documents leads to a file, and every anchor to a heading", () => {
  const examples = listFiles("examples", /^[^/]+\/([\w-]+\/)?README\.md$/);
  const dead = [...pages, ...examples].flatMap((page) => {
    return listLinks(page)
      .filter((link) => isDead(page, link))
      .map((link) => `${page}: ${link}`);
  });
  expect(dead).toEqual([]);
});

test("a link to a missing file, and one to a missing heading, are found", () => {
  expect(isDead("README.md", "docs/policy.md#fields")).toBe(false);
  expect(isDead("docs/boot.md", "backends.md")).toBe(false);
  expect(isDead("README.md", "docs/policies.md")).toBe(true);
  expect(isDead("README.md", "docs/policy.md#field")).toBe(true);
  expect(isDead("README.md", "#no-such-heading")).toBe(true);
  expect(isDead("README.md", "../elsewhere.md")).toBe(true);
});

describe("the index of the documents", () => {
  // docs/cli/README.md is made from the commands, and names the other pages of its folder.
  const named = pages.filter(
    (page) => ![index, "README.md"].includes(page) && !/^docs\/cli\/[a-z]/.test(page),
  );
  const rows = read(index)
    .split("\n")
    .filter((line) => line.startsWith("| ["));
  const links = rows.map((row) => /^\| \[[^\]]+\]\(([^)]+)\) \| .+ \|$/.exec(row)?.[1]);

  test("names every page once, each with a line", () => {
    const targets = links.map((link = "") => relative(root, join(root, index, "..", link)));
    expect(targets).toEqual([...new Set(targets)]);
    expect(named.filter((page) => !targets.includes(page))).toEqual([]);
    expect(rows.filter((_, position) => links[position] === undefined)).toEqual([]);
  });

  test("is what the README leads to", () => {
    expect(listLinks("README.md")).toContain(index);
  });
});

test("each page and heading that the source names exists", () => {
  const sources = ["src", "test", "lab", "tools", "bench", "demo"]
    .flatMap((folder) => listFiles(folder, /\.(ts|mts|mjs|cjs|sh)$/))
    .filter((path) => path !== "test/unit/documents.test.ts");
  const named = sources.flatMap((path) => {
    const found = read(path).matchAll(/\b(?:docs|bench)\/[\w/-]+\.md(?:#[\w-]+)?/g);
    return [...found].map(([link]) => [path, link] as const);
  });
  // The pages of that folder have the names of the commands.
  const checked = named.filter(([, link]) => link !== "docs/cli/NAME.md");
  expect(checked.map(([, link]) => link)).toEqual(
    expect.arrayContaining(["docs/boot.md", "docs/leaving.md"]),
  );
  expect(checked.filter(([, link]) => isDead("README.md", link))).toEqual([]);
});

test("docs/architecture.md has a row for each folder and file of src, and no other", () => {
  const rows = [
    ...read("docs/architecture.md").matchAll(/^\| `([\w.-]+)` \| [^|]+ \| (?:yes|no) \| .+ \|$/gm),
  ];
  const named = rows.map(([, name = ""]) => name);
  expect(named.toSorted()).toEqual(readdirSync(join(root, "src")).toSorted());
});

test("decisions are numbered without a gap, and each has a status and a date", () => {
  const decisions = pages.filter((page) => page.startsWith("docs/adr/"));
  expect(decisions.length).toBeGreaterThan(5);
  for (const [index, page] of decisions.entries()) {
    const number = `${index + 1}`.padStart(3, "0");
    expect(page).toMatch(new RegExp(`^docs/adr/${number}-[a-z0-9-]+\\.md$`));
    expect(read(page)).toMatch(
      new RegExp(`^# ${number}: .+\n\nStatus: (?:accepted|superseded).*\\\\\nDate: \\d{4}-\\d\\d-\\d\\d\n`),
    );
  }
});

test("docs/errors.md has every code of an error", () => {
  const codes = [...read("src/errors.ts").matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code);
  const rows = [...read("docs/errors.md").matchAll(/^\| `([A-Z_]+)` \| .+ \|$/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(10);
  expect(rows).toEqual(codes);
});
