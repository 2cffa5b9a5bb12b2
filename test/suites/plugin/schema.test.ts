import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { type ObjectSchema, type PackageSchema, writeComparison } from "./schema-types";

const root = join(__dirname, "..", "..", "..");
const path = join(root, "dist", "pulumi", "plugin", "schema.json");
const schema: PackageSchema = JSON.parse(readFileSync(path, "utf8"));
const all: readonly (readonly [string, ObjectSchema])[] = [
  ...Object.entries(schema.types),
  ...Object.entries(schema.resources),
  ...Object.entries(schema.resources).map(([token, { inputProperties, requiredInputs }]) => {
    return [`${token} as input`, { properties: inputProperties, required: requiredInputs }] as const;
  }),
];

const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
const { options: ours } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
// A schema does not tell absent from undefined.
const options = { ...ours, exactOptionalPropertyTypes: false };
const compiler = ts.createCompilerHost(options, true);
const parsed = new Map<string, ts.SourceFile>();

/** The compiler's differences between a schema and the exported types. */
function findDifferences(of: PackageSchema): readonly string[] {
  const text = writeComparison(of, listExported());
  // Beside the tests, so that packages and the sources resolve. It exists only in memory.
  const file = join(__dirname, "comparison.ts");
  const read = compiler.getSourceFile.bind(compiler);
  const host: ts.CompilerHost = {
    ...compiler,
    fileExists: (name) => name === file || compiler.fileExists(name),
    getSourceFile: (name, version) => {
      if (name === file) return ts.createSourceFile(name, text, version, true);
      const known = parsed.get(name) ?? read(name, version);
      if (known !== undefined) parsed.set(name, known);
      return known;
    },
  };
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return found.map(({ messageText, start = 0 }) => {
    const line = text.slice(text.lastIndexOf("\n", start) + 1).split("\n")[0] ?? "";
    return `${/const (\w+)/.exec(line)?.[1] ?? line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}

function listExported(): ReadonlySet<string> {
  const text = readFileSync(join(root, "src", "index.ts"), "utf8");
  return new Set([...text.matchAll(/\b[A-Z]\w+/g)].map(([name]) => name));
}

describe("the schema", () => {
  test("says what the exported TypeScript types say", () => {
    expect(Object.keys(schema.types).length).toBeGreaterThan(10);
    expect(findDifferences(schema)).toEqual([]);
  });

  /** The schema with one change at the given path. */
  function change(path: readonly string[], value: unknown): PackageSchema {
    const copy = structuredClone(schema) as unknown as Record<string, unknown>;
    const place = path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy);
    if (value === undefined) delete place[path.at(-1) ?? ""];
    else place[path.at(-1) ?? ""] = value;
    return copy as unknown as PackageSchema;
  }

  const gate = ["types", "knockgate:index:Gate"];
  const component = ["resources", "knockgate:index:KnockGate"];
  test.each([
    ["a property that is missing", [...gate, "properties", "openForSeconds"], undefined, "GateNames"],
    ["a property too many", [...gate, "properties", "more"], { type: "string" }, "GateNames"],
    ["another type", [...gate, "properties", "openForSeconds"], { type: "string" }, "GateTypes"],
    ["a required one that is not", [...gate, "required"], ["name", "protect"], "GateTypes"],
    [
      "an optional one that is required",
      [...gate, "required"],
      ["name", "protect", "knock", "openForSeconds"],
      "GateTypes",
    ],
    [
      "a component's input that is missing",
      [...component, "inputProperties", "adopt"],
      undefined,
      "KnockGateInputsNames",
    ],
    [
      "a component's output that is missing",
      [...component, "properties", "knock"],
      undefined,
      "KnockGateOutputs",
    ],
    [
      "a list where there is one value",
      [...component, "properties", "digest"],
      { type: "array", items: { type: "string" } },
      "KnockGateOutputsTypes",
    ],
  ])("differs from the types by %s", (_, path, value, expected) => {
    expect(findDifferences(change(path, value)).join("\n")).toContain(expected);
  });

  test("describes everything", () => {
    const bare = all.flatMap(([token, { properties }]) => {
      const without = Object.entries(properties).filter(([, { description = "" }]) => description.length < 7);
      return without.map(([name]) => `${token}.${name}`);
    });
    expect(bare).toEqual([]);
    for (const described of [...Object.values(schema.types), ...Object.values(schema.resources)]) {
      expect(described.description).toMatch(/\w{3}/);
    }
  });

  test("marks each secret, wherever it stands", () => {
    const marked = all.flatMap(([token, { properties }]) => {
      const secrets = Object.entries(properties).filter(([, { secret }]) => secret === true);
      return secrets.map(([name]) => `${token.replace("knockgate:index:", "")}.${name}`);
    });
    expect(marked.sort()).toMatchSnapshot();
  });

  test("shows a program in each language that there is an example of", () => {
    const text = schema.resources["knockgate:index:KnockGate"]?.description ?? "";
    for (const language of ["typescript", "python", "yaml"]) expect(text).toContain(`\`\`\`${language}\n`);
    expect(text.match(/\{\{% \/?example/g)).toHaveLength(4);
  });

  test("is one that Pulumi's own check finds right", () => {
    const run = spawnSync("pulumi", ["schema", "check", path], { encoding: "utf8" });
    expect({ stdout: run.stdout, stderr: run.stderr, status: run.status }).toEqual({
      stdout: "",
      stderr: "",
      status: 0,
    });
  });
});
