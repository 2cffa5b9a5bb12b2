import { extname, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Scalar } from "yaml";
import { KnockgateError } from "../../errors.js";
import { checkDepth, tooDeep } from "./check-depth.js";
import { openText } from "./open-text.js";
import { parseJson } from "./parse-json.js";
import { loadModule } from "./policy-module.js";
import { readInput } from "./read-input.js";

/** The content of a policy file, not checked yet. */
export interface PolicyFile {
  readonly name: string;
  readonly value: unknown;
  /** Finds the line of a finding's path; `undefined` when the source has no lines, as a module. */
  locate(path: string): number | undefined;
}

/**
 * Reads a policy file. Its ending says what it is: JSON, YAML, or a module that exports `policy` or a default. `-` is
 * standard input, as JSON or YAML.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`, without the file's text: it holds a knock
 */
export async function readPolicyFile(name: string, input: Readable): Promise<PolicyFile> {
  if (/^\.[cm]?[jt]s$/.test(extname(name))) {
    const value = await loadModule(pathToFileURL(resolve(name)));
    return { name, value, locate: () => undefined };
  }
  const text = name === "-" ? await readInput(input) : await openText(name);
  // All JSON is YAML, but not all YAML is JSON.
  if (extname(name) === ".json") parseJson(name, text);
  return readYaml(name, text);
}

function readYaml(name: string, text: string): PolicyFile {
  const lines = new LineCounter();
  const document = parse(name, text, lines);
  const [error] = document.errors;
  if (error?.code === "RESOURCE_EXHAUSTION") throw tooDeep(name);
  const doubled = findDoubled(document.contents);
  const at = error?.pos[0] ?? doubled;
  if (at !== undefined) {
    const { line } = lines.linePos(at);
    const why = error?.code ?? "DUPLICATE_KEY";
    throw new KnockgateError("ARGUMENTS_INVALID", `${name}:${line}: it is not valid YAML (${why})`);
  }
  const value = toValue(name, document);
  checkDepth(name, value);
  return {
    name,
    value,
    locate: (path) => {
      const at = findOffset(document.contents, splitPath(path));
      return at === undefined ? undefined : lines.linePos(at).line;
    },
  };
}

/** Parses YAML without yaml's own messages, in errors and in warnings: they would quote the text. */
function parse(name: string, text: string, lineCounter: LineCounter): ReturnType<typeof parseDocument> {
  // uniqueKeys is off because yaml would compare each key with all others.
  const options = { lineCounter, prettyErrors: false, logLevel: "error", uniqueKeys: false } as const;
  try {
    return parseDocument(text, options);
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep(name);
    throw cause;
  }
}

/** Finds a key that its map has already, and returns its offset. */
function findDoubled(contents: unknown): number | undefined {
  const waiting: unknown[] = [contents];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (isSeq(node)) for (const item of node.items) waiting.push(item);
    if (!isMap(node)) continue;
    const names = new Set<string>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? `${key.value}` : undefined;
      if (name !== undefined && names.has(name)) return (key as Scalar).range?.[0] ?? 0;
      if (name !== undefined) names.add(name);
      waiting.push(value ?? null);
    }
  }
  return undefined;
}

function toValue(name: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep(name);
    // An alias has no anchor, or expands to too much.
    throw new KnockgateError("ARGUMENTS_INVALID", `${name}: its aliases can't be followed`);
  }
}

/** Splits a path such as `gates[0].knock` into its parts. */
function splitPath(path: string): readonly (string | number)[] {
  return path
    .split(/[.[\]]/)
    .filter((part) => part !== "" && part !== "policy")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/**
 * Finds the offset of a path, or of its longest beginning that exists: a missing field is reported where it would
 * stand.
 */
function findOffset(node: unknown, path: readonly (string | number)[]): number | undefined {
  const [part, ...rest] = path;
  const own = (node as { readonly range?: readonly number[] | null } | null)?.range?.[0];
  if (part === undefined) return own;
  if (isSeq(node)) return findOffset(node.items[Number(part)], rest) ?? own;
  if (!isMap(node)) return own;
  const pair = node.items.find(({ key }) => `${key}` === part);
  if (pair === undefined) return own;
  const key = (pair.key as { readonly range?: readonly number[] }).range?.[0];
  const isLeaf = rest.length === 0 || !(isMap(pair.value) || isSeq(pair.value));
  return isLeaf ? key : (findOffset(pair.value, rest) ?? key);
}
