import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** From left to right: a folder may import the folders before it. Those of one place stand side by side. */
const order: readonly (readonly string[])[] = [
  ["policy"],
  ["model"],
  ["ruleset"],
  ["backends"],
  ["lint", "diagnose"],
  ["explain", "host", "knock/clients"],
  ["host/script"],
  ["change"],
  ["pulumi", "cli"],
  ["pulumi/plugin"],
];
const leaves = ["printable", "errors", "knock", "ssh", "cli/framework"];
/** What they may import of each other. */
const belowLeaves: Readonly<Record<string, readonly string[]>> = {
  printable: [],
  errors: ["printable"],
  knock: ["printable", "errors"],
  ssh: ["printable", "errors", "knock"],
  "cli/framework": ["printable", "errors"],
};
/** Folders inside others that are places of their own. */
const inner = ["knock/clients", "host/script", "pulumi/plugin", "cli/framework"];
const pure = [
  ...["policy", "model", "ruleset", "backends", "lint", "diagnose", "explain", "host", "knock/clients"],
  // Of folders that act, these only decide.
  ...["change/duration", "change/undo-time", "change/prove/knock-course"],
  ...["pulumi/fleet/rollout", "pulumi/fleet/wave-summary"],
];
/** Two readings of a policy. Neither may know the other, so that one can be held against the other. */
const apart = [
  ["model", "diagnose"],
  ["ruleset", "backends"],
] as const;

/** All that pure code may import from Node; `undefined` allows the whole module. */
const pureBuiltins: Readonly<Record<string, readonly string[] | undefined>> = {
  "node:net": ["isIP", "isIPv4", "isIPv6"],
  "node:crypto": ["createHash", "createHmac", "timingSafeEqual"],
};
const effects = [
  "Date",
  "performance",
  "crypto",
  "process",
  "fetch",
  "console",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "require",
];

interface Import {
  readonly from: string;
  /** Empty for `import "x"`, `import * as x`, `import("x")`. */
  readonly names: readonly string[];
  readonly isTypeOnly: boolean;
}

describe("src", () => {
  const files = readSource();

  test("flows one way, and what decides is pure", () => {
    expect(files.size).toBeGreaterThan(20);
    expect(findViolations(files)).toEqual([]);
  });

  test("has no two files that wait for each other, types counted", () => {
    expect(findCircle(files)).toEqual([]);
  });

  test("has no two types of one name", () => {
    const names = [...files.values()].flatMap(listTypes);
    const shared = names.filter((name, index) => names.indexOf(name) !== index);
    // The plugin's own types name the types of its schema.
    expect(shared.sort()).toEqual(["LastChange", "WaveHost"]);
  });
});

describe("the reading of imports", () => {
  const planted: readonly (readonly [string, string, string, string])[] = [
    ["an import to the right", "policy/port.ts", 'import { x } from "../ruleset/show.js";', "policy imports"],
    [
      "a type to the right",
      "host/drift.ts",
      'import type { X } from "../change/x.js";',
      "host imports change",
    ],
    ["an import() to the right", "lint/lint.ts", 'await import("../host/drift.js");', "lint imports host"],
    [
      "a re-export to the right",
      "backends/quote.ts",
      'export * from "../host/drift.js";',
      "backends imports host",
    ],
    [
      "a ruleset that reads the model",
      "ruleset/lower.ts",
      'import { x } from "../model/machine.js";',
      "ruleset imports model",
    ],
    [
      "a model that reads the ruleset",
      "model/machine.ts",
      'import { x } from "../ruleset/lower.js";',
      "model imports",
    ],
    [
      "a diagnosis that reads a backend",
      "diagnose/verdict.ts",
      'import { x } from "../backends/nftables/render.js";',
      "diagnose imports backends",
    ],
    [
      "a ruleset that knows a backend",
      "ruleset/lower.ts",
      'import { x } from "../backends/backends.js";',
      "ruleset imports backends",
    ],
    ["a file read by a diagnosis", "diagnose/capture/pcap.ts", 'import "node:fs";', "is not pure: node:fs"],
    ["a cli that uses pulumi", "cli/main.ts", 'import { x } from "../pulumi/log.js";', "cli imports pulumi"],
    [
      "a command line's frame that knows knocks",
      "cli/framework/help.ts",
      'import { x } from "../../policy/port.js";',
      "cli/framework imports policy",
    ],
    [
      "a knock that knows policies",
      "knock/send-knock.ts",
      'import { x } from "../policy/port.js";',
      "knock imports policy",
    ],
    [
      "a component that knows the plugin",
      "pulumi/gate/knock-gate.ts",
      'import { x } from "../plugin/serve.js";',
      "pulumi imports pulumi/plugin",
    ],
    [
      "an explanation that knows hosts",
      "explain/table.ts",
      'import { x } from "../host/drift.js";',
      "explain imports host",
    ],
    [
      "drift that explains",
      "host/drift.ts",
      'import { x } from "../explain/table.js";',
      "host imports explain",
    ],
    ["a clock in an explanation", "explain/html.ts", "export const now = new Date();", "is not pure: Date"],
    [
      "an SSH client that knows policies",
      "ssh/client.ts",
      'import { x } from "../policy/port.js";',
      "ssh imports",
    ],
    [
      "errors that know anything",
      "errors.ts",
      'import { x } from "./policy/port.js";',
      "errors imports policy",
    ],
    [
      "what escapes text that knows errors",
      "printable.ts",
      'import { x } from "./errors.js";',
      "printable imports errors",
    ],
    [
      "an import of the public API",
      "change/change.ts",
      'import { x } from "../index.js";',
      "change imports index",
    ],
    ["a folder without a place", "misc/x.ts", "export const x = 1;", "misc has no place"],
    [
      "a file read by pure code",
      "policy/parse.ts",
      'import { readFileSync } from "node:fs";',
      "is not pure: node:fs",
    ],
    [
      "a socket in pure code",
      "host/drift.ts",
      'import { isIP, connect } from "node:net";',
      "node:net connect",
    ],
    [
      "a whole module in pure code",
      "host/drift.ts",
      'import * as net from "node:net";',
      "is not pure: node:net",
    ],
    [
      "a process in pure code",
      "lint/x.ts",
      'import { spawn } from "node:child_process";',
      "node:child_process",
    ],
    ["a builtin without node:", "lint/x.ts", 'import { spawn } from "child_process";', "child_process"],
    [
      "a random number of node:crypto",
      "backends/iptables/x.ts",
      'import { randomBytes } from "node:crypto";',
      "randomBytes",
    ],
    ["a clock in pure code", "model/machine.ts", "export const now = Date.now();", "is not pure: Date"],
    ["a timer in pure code", "model/machine.ts", "performance.now();", "is not pure: performance"],
    ["chance in pure code", "model/machine.ts", "const { random } = Math;", "is not pure: Math.random"],
    ["chance in pure code, plainly", "model/machine.ts", "Math.random();", "is not pure: Math.random"],
    [
      "effects that come with a knock",
      "host/drift.ts",
      'import { x } from "../knock/send-knock.js";',
      "host/drift.ts is not pure: knock/send-knock.ts",
    ],
  ];
  test.each(planted)("finds %s", (_, path, text, expected) => {
    const knock = ["knock/send-knock.ts", 'import { connect } from "node:net";'] as const;
    const found = findViolations(parseAll([knock, [path, text]]));
    expect(found.length).toBeGreaterThan(0);
    expect(found.join("\n")).toContain(expected);
  });

  const allowed: readonly (readonly [string, string, string])[] = [
    ["an import to the left", "change/change.ts", 'import { x } from "../policy/port.js";'],
    ["errors and a knock", "change/change.ts", 'import "../errors.js"; import "../knock/send-knock.js";'],
    ["a type of a knock in pure code", "host/x.ts", 'import type { X } from "../knock/send-knock.js";'],
    ["pure functions of Node", "policy/prefix.ts", 'import { isIPv4, isIPv6 } from "node:net";'],
    ["the public API on top of all", "index.ts", 'export { x } from "./pulumi/log.js";'],
    [
      "a property that is called like a global",
      "policy/x.ts",
      "export const x = { Date: 1, process: 2 }.process;",
    ],
    ["an effect in what acts", "change/x.ts", "Date.now();"],
  ];
  test.each(allowed)("lets %s pass", (_, path, text) => {
    const knock = ["knock/send-knock.ts", 'import { connect } from "node:net";'] as const;
    expect(findViolations(parseAll([knock, [path, text]]))).toEqual([]);
  });
});

function readSource(): ReadonlyMap<string, ts.SourceFile> {
  const root = join(__dirname, "..", "..", "src");
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    /\.m?ts$/.test(path),
  );
  return parseAll(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

function findViolations(sources: ReadonlyMap<string, ts.SourceFile>): readonly string[] {
  return [...sources].flatMap(([path, source]) => [
    ...findWrongDirections(path, source),
    ...(pure.includes(folderOf(path)) || pure.includes(path.replace(/\.ts$/, ""))
      ? findImpurities(path, sources)
      : []),
  ]);
}

function parseAll(files: readonly (readonly [string, string])[]): ReadonlyMap<string, ts.SourceFile> {
  return new Map(
    files.map(([path, text]) => [path, ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)]),
  );
}

function findWrongDirections(path: string, source: ts.SourceFile): readonly string[] {
  const folder = folderOf(path);
  if (folder === "index") return [];
  const place = order.findIndex((side) => side.includes(folder));
  if (place === -1 && !leaves.includes(folder)) return [`${path}: ${folder} has no place in the order`];
  return listImports(source).flatMap(({ from }) => {
    const target = from.startsWith(".") ? folderOf(resolve(path, from)) : undefined;
    if (target === undefined || target === folder) return [];
    const isLeft = order.slice(0, Math.max(0, place)).some((side) => side.includes(target));
    const isApart =
      readingOf(folder) !== undefined && readingOf(folder) !== (readingOf(target) ?? readingOf(folder));
    const isAllowed = belowLeaves[folder]?.includes(target) ?? (isLeft || leaves.includes(target));
    return isAllowed && !isApart ? [] : [`${path}: ${folder} imports ${target}`];
  });
}

function readingOf(folder: string): (typeof apart)[number] | undefined {
  return apart.find((folders: readonly string[]) => folders.includes(folder));
}

/** A pure file's imports run with it, so their effects count too. Imports of types do not run. */
function findImpurities(path: string, sources: ReadonlyMap<string, ts.SourceFile>): readonly string[] {
  const reached = new Set([path]);
  for (const at of reached) {
    const source = sources.get(at);
    if (source === undefined) continue;
    for (const { from, isTypeOnly } of listImports(source)) {
      if (from.startsWith(".") && !isTypeOnly) reached.add(resolve(at, from));
    }
  }
  return [...reached].flatMap((at) => {
    const source = sources.get(at);
    const through = at === path ? "" : `${at}, which it imports, uses `;
    return source === undefined
      ? []
      : [...new Set(listEffects(source))].map((what) => `${path} is not pure: ${through}${what}`);
  });
}

const listEffects = once((source): readonly string[] => {
  const imported = listImports(source).flatMap(({ from, names, isTypeOnly }) => {
    if (isTypeOnly || !isBuiltin(from)) return [];
    const allowed = pureBuiltins[from];
    if (allowed === undefined || names.length === 0) return [from];
    return names.filter((name) => !allowed.includes(name)).map((name) => `${from} ${name}`);
  });
  const used: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && effects.includes(node.text) && !isName(node)) used.push(node.text);
    if (ts.isIdentifier(node) && node.text === "random") used.push("Math.random");
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...imported, ...used];
});

/** Lists the names of the types that a file declares, also of those that it does not export. */
function listTypes(source: ts.SourceFile): readonly string[] {
  return source.statements.flatMap((node) =>
    ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node)
      ? [node.name?.text ?? ""]
      : [],
  );
}

/** Tells whether an identifier only names a member of something else. */
function isName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    (ts.isPropertySignature(parent) && parent.name === node)
  );
}

const listImports = once((source): readonly Import[] => {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const bindings = clause?.namedBindings;
      const elements = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : [];
      const values = elements.filter((element) => !element.isTypeOnly);
      const isTypeOnly =
        clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || (elements.length > 0 && values.length === 0);
      const names = values.map((element) => (element.propertyName ?? element.name).text);
      found.push({ from: textOf(node.moduleSpecifier), names: clause?.name ? [] : names, isTypeOnly });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      found.push({ from: textOf(node.moduleSpecifier), names: [], isTypeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      found.push({ from: argument === undefined ? "" : textOf(argument), names: [], isTypeOnly: false });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push({ from: textOf(node.argument.literal), names: [], isTypeOnly: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
});

/** The text of an import() of something computed is its source. */
function textOf(node: ts.Node): string {
  return ts.isStringLiteralLike(node) ? node.text : node.getText();
}

function isBuiltin(from: string): boolean {
  return (
    from.startsWith("node:") ||
    /^(fs|net|dgram|dns|tls|http|https|os|child_process|crypto|timers)(\/|$)/.test(from)
  );
}

function resolve(path: string, from: string): string {
  return posix.join(dirname(path), from).replace(/\.js$/, ".ts");
}

/** `policy` of `policy/port.ts`, `errors` of `errors.ts`, `knock/clients` of `knock/clients/profile.ts`. */
function folderOf(path: string): string {
  const within = inner.find((folder) => path.startsWith(`${folder}/`));
  if (within !== undefined) return within;
  return (path.split("/")[0] ?? "").replace(/\.ts$/, "");
}

/** Finds files that import each other, by way of others or at once. Returns the first circle found, in order. */
function findCircle(sources: ReadonlyMap<string, ts.SourceFile>): readonly string[] {
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): readonly string[] => {
    if (above.includes(path)) return above.slice(above.indexOf(path));
    const source = sources.get(path);
    if (done.has(path) || source === undefined) return [];
    done.add(path);
    for (const { from } of listImports(source)) {
      const circle = from.startsWith(".") ? visit(resolve(path, from), [...above, path]) : [];
      if (circle.length > 0) return circle;
    }
    return [];
  };
  for (const path of sources.keys()) {
    const circle = visit(path, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

/** Many files import the same ones. Reads each only once. */
function once<T>(read: (source: ts.SourceFile) => T): (source: ts.SourceFile) => T {
  const results = new WeakMap<ts.SourceFile, { readonly result: T }>();
  return (source) => {
    const known = results.get(source) ?? { result: read(source) };
    results.set(source, known);
    return known.result;
  };
}
