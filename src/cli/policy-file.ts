import { extname, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Scalar } from "yaml";
import { KnockgateError } from "../errors.js";
import { checkDepth, tooDeep } from "./check-depth.js";
import { openText } from "./open-text.js";
import { parseJson } from "./parse-json.js";
import { loadModule } from "./policy-module.js";
import { readInput } from "./read-input.js";

/** What a file holds in a policy's place: anything, until it is checked. */
export interface PolicyFile {
  readonly name: string;
  readonly value: unknown;
  /** The line that a finding's path stands on; `undefined` where there are no lines to speak of. */
  locate(path: string): number | undefined;
}

/**
 * Reads a policy file by its ending: JSON, YAML, or a module that exports `policy` or a default; `-` is standard input,
 * as JSON or YAML.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` without what the file holds: a knock is in it
 */
export async function readPolicyFile(name: string, input: Readable): Promise<PolicyFile> {
  if (/^\.[cm]?[jt]s$/.test(extname(name))) {
    const value = await loadModule(pathToFileURL(resolve(name)));
    return { name, value, locate: () => undefined };
  }
  const text = name === "-" ? await readInput(input) : await openText(name);
  // All JSON is YAML, but not the other way round.
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

/** Its own words would quote the text, so it says none: neither in errors nor in warnings. */
function parse(name: string, text: string, lineCounter: LineCounter): ReturnType<typeof parseDocument> {
  // To look for doubled keys, yaml compares each key with each other one.
  const options = { lineCounter, prettyErrors: false, logLevel: "error", uniqueKeys: false } as const;
  try {
    return parseDocument(text, options);
  } catch (cause) {
    if (cause instanceof RangeError) throw tooDeep(name);
    throw cause;
  }
}

/** Where a key stands that its map has already. */
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
    // An alias that leads nowhere, or to too much.
    throw new KnockgateError("ARGUMENTS_INVALID", `${name}: its aliases can't be followed`);
  }
}

/** `gates[0].knock` as its parts. */
function splitPath(path: string): readonly (string | number)[] {
  return path
    .split(/[.[\]]/)
    .filter((part) => part !== "" && part !== "policy")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Where the last part of a path begins that is there at all: what is missing is missed there. */
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
