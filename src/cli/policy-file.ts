import { extname, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { isMap, isSeq, LineCounter, parseDocument } from "yaml";
import { KnockgateError } from "../errors.js";
import { openText } from "./open-text.js";
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
  if (extname(name) === ".json") checkJson(name, text);
  return readYaml(name, text);
}

/** All JSON is YAML, but not the other way round; Node's own message quotes the text. */
function checkJson(name: string, text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new KnockgateError("ARGUMENTS_INVALID", `${name}: it is no JSON`);
  }
}

function readYaml(name: string, text: string): PolicyFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    throw new KnockgateError("ARGUMENTS_INVALID", `${name}:${line}: it is no YAML (${error.code})`);
  }
  return {
    name,
    value: toValue(name, document),
    locate: (path) => {
      const at = findOffset(document.contents, splitPath(path));
      return at === undefined ? undefined : lines.linePos(at).line;
    },
  };
}

function toValue(name: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch {
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
