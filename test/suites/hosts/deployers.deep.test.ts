import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { deployersFolder, hasDeployers, yamlHost } from "../../../tools/setup/deployers-place.mjs";
import { unpackInto } from "../package/pack";
import { type DeployerRow, projectRows, templates, yamlRow } from "./deployer-rows";
import { findNode, managers, writeSettings } from "./deployers/managers";
import { serveRegistry } from "./deployers/registry";
import { adaKey, configureStack, deployAndDestroy, seed } from "./deployers/stack";
import { makeUserProject, type UserProject } from "./deployers/user-project";
import { recordResult } from "./row";

const root = join(__dirname, "..", "..", "..");
const compilers = { "5.4": "5.4.5", "5.9": "5.9.3", "6.0": "6.0.3" } as const;
const rowMs = 900_000;
const hookMs = 600_000;
/** What `deployAndDestroy` has seen. */
const seen = "`up` gated SSH, the knock opened it, and `destroy` left the firewall as it was";

let lab: Lab;
let host: LabHost;
let registry: Awaited<ReturnType<typeof serveRegistry>>;

// `KNOCKGATE_DEEP=1 node tools/setup.mjs --rootfs` gets what they need, and says why if it can't.
describe.skipIf(!hasDeployers())("a user's project with the packed package", () => {
  beforeAll(async () => {
    lab = await openLab({ hosts: 1, clients: 1 });
    [host] = lab.hosts as [LabHost];
    const packed = join(lab.directory, "packed");
    mkdirSync(packed);
    unpackInto(packed);
    const installed = [deployersFolder, root].map((folder) => join(folder, "node_modules"));
    registry = await serveRegistry([packed, ...installed]);
  }, hookMs);
  afterAll(async () => {
    registry?.stop();
    await lab?.close();
  }, hookMs);

  test.each(projectRows)("$on: $act", { timeout: rowMs }, async (row) => {
    const project = makeUserProject(join(lab.directory, row.id), {
      example: "single-host",
      files: ["index.ts", "Pulumi.yaml"],
      node: findNode(row.node),
    });
    await install(row, project);
    const compiled = await compile(row, project);
    const refused = row.manager === "bun" ? await seeRefusal(project) : "";
    await configureStack(project, lab, host, { knockSeed: seed });
    await deployAndDestroy(project, lab, host);
    recordResult(row, {
      versions: `${await listVersions(row, project)}, Pulumi ${await askPulumi(project)}`,
      result: `${compiled}, ${seen}${refused}`,
    });
    project.remove();
  });

  test(`${yamlRow.on}: ${yamlRow.act}`, { timeout: rowMs }, async () => {
    const project = makeUserProject(join(lab.directory, yamlRow.id), {
      example: "yaml",
      files: ["Pulumi.yaml"],
      node: process.execPath,
      tools: dirname(yamlHost),
    });
    writeSettings(project, registry.url);
    await project.run(["npm", "install", "knockgate"]);
    await configureStack(project, lab, host, { adaKey });
    const preview = await project.run(["pulumi", "preview", "--non-interactive", "--color", "never"]);
    expect(preview).toContain("3 to create");
    await deployAndDestroy(project, lab, host);
    const [, version] = /pulumi-yaml\tv([\d.]+)/.exec(readFileSync(yamlHost, "latin1")) ?? [];
    expect(yamlRow.on).toBe(`YAML, pulumi-language-yaml ${version}`);
    recordResult(yamlRow, {
      versions: `pulumi-language-yaml ${version}, Node ${process.versions.node}, Pulumi ${await askPulumi(project)}`,
      result: `\`preview\` showed what would be made, ${seen}`,
    });
  });
});

async function askPulumi(project: UserProject): Promise<string> {
  return (await project.run(["pulumi", "version"])).trim().replace("v", "");
}

async function askVersion(project: UserProject, argv: readonly string[]): Promise<string> {
  return (await project.run([...argv, "--version"])).trim();
}

/** Adds the packages that the README names to a project that Pulumi's template has made. */
async function install(row: DeployerRow, project: UserProject): Promise<void> {
  const { type } = templates[row.template];
  // Pulumi runs an ES module that is written in TypeScript by the project's own ts-node.
  const loader = type === "module" ? { "ts-node": "10.9.2" } : {};
  const devDependencies = { "@types/node": "24.10.1", typescript: compilers[row.typescript], ...loader };
  const resolutions =
    row.manager === "yarn 1" && row.sdk !== undefined ? { "@pulumi/pulumi": row.sdk } : undefined;
  const manifest = { name: "edge", private: true, type, devDependencies, resolutions };
  project.write("package.json", JSON.stringify(manifest));
  writeSettings(project, registry.url);
  const add = row.manager === "npm" ? "install" : "add";
  const sdk = row.sdk === undefined ? "@pulumi/pulumi" : `@pulumi/pulumi@${row.sdk}`;
  await project.run([...managers[row.manager], add, "knockgate", sdk, "@pulumi/command"]);
}

/** Compiles the program and all declarations that it reaches. Returns what was seen. */
async function compile(row: DeployerRow, project: UserProject): Promise<string> {
  const compilerOptions = {
    strict: true,
    target: "es2020",
    experimentalDecorators: true,
    noFallthroughCasesInSwitch: true,
    noImplicitReturns: true,
    forceConsistentCasingInFileNames: true,
    skipLibCheck: false,
    ...templates[row.template].modules,
    // The newest compiler wants to be told that the old template's settings will go.
    ...(row.template === "commonjs" && row.typescript === "6.0" ? { ignoreDeprecations: "6.0" } : {}),
  };
  project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["index.ts"] }));
  const tsc = ["node", "node_modules/typescript/bin/tsc", "--noEmit", "--pretty", "false"];
  const { printed, code } = await project.attempt(tsc);
  const complaints = printed.split("\n").filter((line) => /\berror TS\d+/.test(line));
  const others = complaints.filter((line) => /node_modules\/(?!\S*knockgate)/.test(line));
  expect(complaints.filter((line) => !others.includes(line))).toEqual([]);
  expect(code === 0).toBe(complaints.length === 0);
  const left = others.length === 0 ? "" : ` but for ${others.length} complaints about other packages`;
  return `\`tsc\` found nothing wrong${left}`;
}

/** Bun may install the packages, but not run the program. */
async function seeRefusal(project: UserProject): Promise<string> {
  project.write(
    "by-bun.js",
    `const pulumi = require("@pulumi/pulumi");
    pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) });
    const { KnockGate } = require("knockgate");
    new KnockGate("edge", { connection: { host: "203.0.113.7" }, policy: { name: "edge", gates: [] } });`,
  );
  const { printed } = await project.attempt([...managers.bun, "by-bun.js"]);
  expect(printed).toContain("this program is run by Bun");
  return "; a program that Bun itself ran was refused";
}

function readVersion(project: UserProject, name: string): string {
  return JSON.parse(project.read(`node_modules/${name}/package.json`)).version;
}

async function listVersions(row: DeployerRow, project: UserProject): Promise<string> {
  const node = (await askVersion(project, ["node"])).replace("v", "");
  expect(node).toMatch(new RegExp(`^${row.node}\\.`));
  const manager = `${row.manager.replace(/ .*/, "")} ${await askVersion(project, managers[row.manager])}`;
  const typescript = readVersion(project, "typescript");
  expect(typescript).toBe(compilers[row.typescript]);
  const sdk = readVersion(project, "@pulumi/pulumi");
  return `Node ${node}, ${manager}, TypeScript ${typescript}, @pulumi/pulumi ${sdk}`;
}
