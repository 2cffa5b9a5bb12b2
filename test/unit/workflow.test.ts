import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";

const root = join(__dirname, "..", "..");
const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly permissions?: unknown;
  readonly jobs: Readonly<
    Record<string, { readonly "timeout-minutes"?: number; readonly steps: readonly Step[] }>
  >;
}

interface Form {
  readonly name?: string;
  readonly description?: string;
  readonly body: readonly {
    readonly type: string;
    readonly id?: string;
    readonly attributes: { readonly label?: string; readonly value?: string };
  }[];
}

function readYaml<T>(path: string): T {
  const document = parseDocument(readFileSync(join(root, path), "utf8"), { strict: true });
  expect([...document.errors, ...document.warnings]).toEqual([]);
  return document.toJS() as T;
}

/**
 * What a workflow's command names that this repository does not have; `undefined` if it names something and all of it
 * exists.
 */
function findMissing(run: string): string | undefined {
  const called = [...run.matchAll(/\bnpm (?:run ([\w:-]+)|(test)\b)/g)].map(
    ([, name, short]) => name ?? short ?? "",
  );
  const files = run.split(/\s+/).filter((word) => /^\.?\w[\w.-]*\/[\w./-]+$/.test(word));
  if (called.length + files.length === 0) return `${run}: names no script and no file`;
  const missing = [...called.filter((name) => !(name in scripts)), ...files.filter((file) => !isFile(file))];
  return missing.length === 0 ? undefined : `${run}: ${missing.join(", ")}`;
}

function isFile(path: string): boolean {
  return existsSync(join(root, path)) && statSync(join(root, path)).isFile();
}

describe("the workflow", () => {
  const workflow = readYaml<Workflow>(".github/workflows/ci.yml");
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps);
  const runs = steps.flatMap(({ run }) => (run === undefined ? [] : [run]));

  test("runs what this repository has: scripts of package.json, and files", () => {
    expect(runs.flatMap((run) => findMissing(run) ?? [])).toEqual([]);
    expect(runs).toContain("npm run check");
    expect(runs.join("\n")).toMatch(/ \.ci\/run$/m);
  });

  test.each([
    ["a script that is not there", "npm run chek"],
    ["a file that is not there", "sudo .ci/runs"],
    ["a folder", "sudo .github/workflows"],
    ["a command that names neither", "npm ci"],
  ])("a run of %s is found", (_, run) => {
    expect(findMissing(run)).toBeDefined();
  });

  test("may only read the repository, and each job ends", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(jobs.filter((job) => !(Number(job["timeout-minutes"]) > 0))).toEqual([]);
  });

  test("names each action's major version", () => {
    const uses = steps.flatMap((step) => step.uses ?? []);
    expect(uses.length).toBeGreaterThan(3);
    expect(uses.filter((name) => !/^[\w-]+\/[\w-]+@v\d+$/.test(name))).toEqual([]);
  });

  test("keys its caches by files that are there", () => {
    const keys = steps.flatMap((step) => (typeof step.with?.["key"] === "string" ? [step.with["key"]] : []));
    const named = keys.flatMap((key) => [...key.matchAll(/'([^']+)'/g)].map(([, file = ""]) => file));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((file) => !isFile(file))).toEqual([]);
  });
});

test("the development container sets up by a script that is there, with the Node and Go that setup asks for", () => {
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const { postCreateCommand, features, privileged } = JSON.parse(read(".devcontainer/devcontainer.json"));
  expect(findMissing(postCreateCommand)).toBeUndefined();
  const versions = Object.entries<{ version: string }>(features).map(([name, { version }]) => [
    name.replace(/^.*\/|:\d+$/g, ""),
    version,
  ]);
  const [, go] = /^go (\d+\.\d+)/m.exec(read("tools/pulumi-cli/go.mod")) ?? [];
  const [, node] = /^const oldestNode = (\d+);/m.exec(read("tools/setup.mjs")) ?? [];
  expect(Object.fromEntries(versions)).toEqual({ node, go });
  expect(privileged).toBe(true);
});

describe("the forms of issues", () => {
  const forms = readdirSync(join(root, ".github/ISSUE_TEMPLATE"))
    .filter((name) => name.endsWith(".yml") && name !== "config.yml")
    .map((name) => readYaml<Form>(`.github/ISSUE_TEMPLATE/${name}`));

  test("have what a forge asks of a form, and ids that differ", () => {
    expect(forms).toHaveLength(2);
    for (const { name, description, body } of forms) {
      expect([name, description]).not.toContain(undefined);
      const fields = body.filter(({ type }) => type !== "markdown");
      expect(fields.filter(({ id, attributes }) => id === undefined || !attributes.label)).toEqual([]);
      expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length);
    }
  });

  test("say never to paste a secret before they ask anything", () => {
    for (const { body } of forms) expect(body[0]?.attributes.value).toMatch(/Never paste a knock, a key/);
  });
});
