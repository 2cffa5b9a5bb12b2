import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listPacked } from "./project";

const root = join(__dirname, "..", "..");
const paths = listPacked().map(({ path }) => path);

/** What is made from a source, or goes with the package as it is. */
function expectPacked(): readonly string[] {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const built = sources.flatMap((path) => {
    if (path.endsWith(".sh")) return [`dist/${path}`];
    if (!path.endsWith(".ts")) return [];
    return [path.replace(/\.ts$/, ".js"), path.replace(/\.ts$/, ".d.ts")].map((file) => `dist/${file}`);
  });
  const papers = ["package.json", "README.md", "LICENSE", "CHANGELOG.md"];
  const plugin = ["PulumiPlugin.yaml", "pulumi-resource-knockgate", "dist/plugin/schema.json"];
  const manual = ["docs/man/knockgate.1"];
  return [...built, ...papers, ...plugin, ...manual].sort();
}

test("the package holds what is built from src, the host's scripts and its papers, and nothing else", () => {
  expect(paths.toSorted()).toEqual(expectPacked());
});

test("nothing in it points at a file that is not in it", () => {
  const texts = paths.filter((path) => /\.(js|ts|json|md)$/.test(path));
  const maps = texts.filter((path) => readFileSync(join(root, path), "utf8").includes("sourceMappingURL"));
  expect(maps).toEqual([]);
  const { main, types, exports, typesVersions } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const named = JSON.stringify([main, types, exports, typesVersions]).match(/\.\/[^"]+/g) ?? [];
  expect(named.length).toBeGreaterThan(6);
  expect(
    named
      .filter((path) => !["./package.json", "./provider"].includes(path))
      .map((path) => path.slice(2))
      .filter((path) => !paths.includes(path)),
  ).toEqual([]);
});

test("nothing runs when it is installed, and Pulumi's packages are the program's own", () => {
  const { scripts, dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const runAtInstall = ["preinstall", "install", "postinstall", "prepare"];
  expect(Object.keys(scripts).filter((name) => runAtInstall.includes(name))).toEqual([]);
  expect(Object.keys(peerDependencies).sort()).toEqual(["@pulumi/command", "@pulumi/pulumi"]);
  expect(Object.keys(dependencies).filter((name) => name.startsWith("@pulumi/"))).toEqual([]);
  // ssh2's alone, which builds what makes it faster, may fail to, and is not waited for: docs/adr/002-ssh2.md.
  const withScripts = Object.keys(dependencies).filter((name) => {
    const { scripts } = require(join(root, "node_modules", name, "package.json"));
    return Object.keys(scripts ?? {}).some((script) => runAtInstall.slice(0, 3).includes(script));
  });
  expect(withScripts).toEqual(["ssh2"]);
});
