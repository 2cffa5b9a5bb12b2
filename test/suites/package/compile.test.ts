import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeProject, type Project } from "./project";

const root = join(__dirname, "..", "..", "..");
/** The oldest and the newest compiler in Pulumi's peer range and in the templates, and one between. */
const compilers = [
  ["5.4", join(root, "test", "suites", "package", "compilers", "5.4", "node_modules", "typescript")],
  ["5.9", join(root, "test", "suites", "package", "compilers", "5.9", "node_modules", "typescript")],
  ["6.0", join(root, "node_modules", "typescript")],
] as const;

/** The settings that all `pulumi new typescript` templates share. */
const common = {
  strict: true,
  target: "es2020",
  experimentalDecorators: true,
  noFallthroughCasesInSwitch: true,
  noImplicitReturns: true,
  forceConsistentCasingInFileNames: true,
  noEmit: true,
  // The templates leave it out, so the compiler checks every declaration that a program reaches.
  skipLibCheck: false,
};

/** tsconfig.json of `pulumi new typescript`: today's, and the one from before March 2026. */
const templates = [
  ["of today", { ...common, module: "nodenext", moduleResolution: "nodenext" }],
  ["of before", { ...common, module: "commonjs", moduleResolution: "node", ignoreDeprecations: "6.0" }],
] as const;

let project: Project;
beforeAll(() => {
  project = makeProject(["@pulumi/pulumi", "@types/node"]);
  project.write("package.json", '{ "name": "a-users-project", "private": true }');
});
afterAll(() => project?.remove());

/** The compiler's complaints about a program, without those about other packages' own declarations. */
function compile(compiler: string, options: object, program: string): readonly string[] {
  const args = [join(compiler, "bin", "tsc"), "-p", "tsconfig.json", "--pretty", "false"];
  project.write("tsconfig.json", JSON.stringify({ compilerOptions: options, files: [program] }));
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: project.folder, encoding: "utf8" });
  const lines = stdout.split("\n").filter((line) => line !== "");
  expect(status === 0).toBe(lines.length === 0);
  return lines.filter((line) => !/^(\.\.\/)*\S*node_modules\/(?!knockgate\/)/.test(line));
}

const isDeep = process.env["KNOCKGATE_DEEP"] === "1";

/** Each run with skipLibCheck false takes long. So the old compiler gets the old template, and today's gets today's. */
const usual = new Map<string, (typeof templates)[number]>([
  ["5.4", templates[1]],
  ["6.0", templates[0]],
]);
const tried = compilers.filter(([version]) => isDeep || usual.has(version));

describe.each(tried)("TypeScript %s", (version, compiler) => {
  const own = usual.get(version);
  test.each(isDeep || own === undefined ? templates : [own])(
    "compiles a program in a project of the template %s, with all declarations checked",
    (_when, given) => {
      const { version: found } = require(join(compiler, "package.json"));
      expect(found.startsWith(`${version}.`)).toBe(true);
      // An older compiler refuses settings that it does not know.
      const { ignoreDeprecations, ...known } = { ignoreDeprecations: undefined, ...given };
      const options =
        version === "6.0" && ignoreDeprecations !== undefined ? { ...known, ignoreDeprecations } : known;
      expect(compile(compiler, options, "readme.ts")).toEqual([]);
    },
  );
});

test("a wrong program does not compile, which shows that the types are found", () => {
  const [[, compiler], [, options]] = [compilers[2], templates[0]];
  project.write(
    "wrong.ts",
    'import type { StepArgs } from "knockgate";\nexport const step: StepArgs = { tcp: "7" };\n',
  );
  expect(compile(compiler, { ...options, skipLibCheck: true }, "wrong.ts")).toEqual([
    expect.stringContaining("wrong.ts(2,"),
  ]);
});

describe("a project without @pulumi/command", () => {
  test("runs a program that makes no command, and is told what to install by one that does", () => {
    // Mocks leave promises behind, for which Pulumi sets an exit code.
    const run = (program: string): string =>
      spawnSync(process.execPath, ["-e", program], { cwd: project.folder, encoding: "utf8" }).stdout;
    const gate = `
      const pulumi = require("@pulumi/pulumi");
      pulumi.runtime.setMocks({ newResource: (args) => ({ id: args.name, state: args.inputs }), call: () => ({}) });
      const { KnockGate } = require("knockgate");
      const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }];
      const policy = { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] };
      const gate = new KnockGate("edge", { connection: { host: "203.0.113.7" }, policy });`;
    expect(run(`${gate} console.log("made")`)).toBe("made\n");
    const told = run(
      `${gate} try { gate.command("x", { create: "id" }) } catch (e) { console.log(e.code, e.message) }`,
    );
    expect(told).toContain("ARGUMENTS_INVALID");
    expect(told).toContain("npm install @pulumi/command");
  });
});
