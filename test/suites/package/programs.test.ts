import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { makeProject, type Project } from "./project";

const root = join(__dirname, "..", "..", "..");
/** The output of shared.cjs when all went well. */
const shown = `${JSON.stringify({
  seen: ["knockgate:index:KnockGate", "pulumi-nodejs:dynamic/knockgate:Ruleset"],
  provider: "function",
  steps: 4,
})}\n`;

let project: Project;
beforeAll(() => {
  project = makeProject();
  project.write("package.json", '{ "name": "a-users-project", "private": true }');
  const compilerOptions = { strict: true, module: "node16", moduleResolution: "node16" };
  project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["typed.ts"] }));
  copyFileSync(join(project.folder, "typed.ts"), join(project.folder, "typed.mts"));
});
afterAll(() => project?.remove());

describe("the package, installed in a project", () => {
  test.each([
    ["CommonJS", "plain.cjs"],
    ["an ES module", "plain.mjs"],
  ])("works from %s in plain JavaScript", (_kind, program) => {
    expect(project.run(program)).toBe(shown);
  });

  test.each([
    ["CommonJS", "typed.ts"],
    ["an ES module", "typed.mts"],
  ])("works from %s in TypeScript that tsx runs", (_kind, program) => {
    expect(project.run("--import", "tsx", program)).toBe(shown);
  });

  test("works from TypeScript that Pulumi's own ts-node loads", () => {
    const loader = join(root, "test", "suites", "examples", "load-program.cjs");
    const programs = [{ main: join(project.folder, "typed.ts"), config: {} }];
    const printed = project.run(loader, project.folder, JSON.stringify(programs));
    expect(printed).toBe(`wrong wrongToo code declare\n${shown}`);
  });

  test("gives an ES module every name that index.ts exports", () => {
    expect(JSON.parse(project.run("names.mjs")).sort()).toEqual(
      expect.arrayContaining([...listExports(), "default"].sort()),
    );
  });

  test.each([
    ["node10", { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 }],
    ["node16", { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 }],
    ["bundler", { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }],
  ])("has types that a strict compiler finds by %s", (_kind, options) => {
    expect(listComplaints(options)).toEqual([]);
  });
});

/** The compiler's complaints about the user's program and the package's own declarations. */
function listComplaints(options: ts.CompilerOptions): readonly string[] {
  const program = ts.createProgram([join(project.folder, "typed.ts")], {
    ...options,
    strict: true,
    noEmit: true,
    esModuleInterop: true,
    target: ts.ScriptTarget.ES2022,
    types: [],
    ignoreDeprecations: "6.0",
  });
  const files = program.getSourceFiles().filter(({ fileName }) => {
    return fileName.endsWith("/typed.ts") || fileName.includes("/node_modules/knockgate/dist/");
  });
  expect(files.length).toBeGreaterThan(5);
  const found = [
    program.getOptionsDiagnostics(),
    files.map((file) => program.getSemanticDiagnostics(file)),
  ].flat(2);
  return found.map(
    ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
  );
}

/** The exported values, without the types. */
function listExports(): readonly string[] {
  const file = join(root, "src", "index.ts");
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  return source.statements.filter(ts.isExportDeclaration).flatMap(({ isTypeOnly, exportClause }) => {
    if (isTypeOnly || exportClause === undefined || !ts.isNamedExports(exportClause)) return [];
    return exportClause.elements.filter((each) => !each.isTypeOnly).map(({ name }) => name.text);
  });
}

describe("an ES module with the real engine", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 1 });
  });
  afterAll(() => lab?.close());

  test("gates a host and removes the gate, by the provider of the project's own package", async () => {
    const [host] = lab.hosts as [LabHost];
    // Marks this copy of the provider. The checkout has another one, beside the engine's own start script.
    const provider = join("node_modules", "knockgate", "dist", "pulumi", "ruleset", "operations.js");
    const text = readFileSync(join(project.folder, provider), "utf8");
    project.write(provider, `${text}\nconsole.log("the project's own provider");\n`);
    const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }];
    const args = {
      connection: { host: host.ipv4, user: "ops", hostKey: host.hostKey, privateKey: lab.privateKey },
      policy: { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] },
    };
    project.write("args.json", JSON.stringify(args));
    const printed = project.run("deploy.mjs", "args.json");
    expect(printed).toContain("6/6 confirm");
    expect(printed).toContain("the gate is removed, and nothing else");
    expect(printed).toContain("the project's own provider");
    expect(await host.ruleset()).toBe("");
  });
});
