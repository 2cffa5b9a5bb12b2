import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { makePackedManifest } from "../../../tools/packed-manifest.mjs";
import { listPacked } from "./pack";

const root = join(__dirname, "..", "..", "..");
const paths = listPacked().map(({ path }) => path);

/** The files that are built from a source, or packed as they are. */
function expectPacked(): readonly string[] {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const built = sources.flatMap((path) => {
    if (path.endsWith(".sh")) return [`dist/${path}`];
    if (!path.endsWith(".ts")) return [];
    return [path.replace(/\.ts$/, ".js"), path.replace(/\.ts$/, ".d.ts")].map((file) => `dist/${file}`);
  });
  const papers = ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
  const plugin = ["PulumiPlugin.yaml", "pulumi-resource-knockgate", "dist/pulumi/plugin/schema.json"];
  // The targets of the README's links, as git has them.
  const linked = ["docs", "examples", "bench/RESULTS.md", "bench/PROFILE.md"];
  const kept = execFileSync("git", ["ls-files", "--", ...linked], { cwd: root, encoding: "utf8" });
  return [...built, ...papers, ...plugin, ...kept.trim().split("\n")].sort();
}

test("the package holds only what is built from src, the host's scripts, its documents and what they link to", () => {
  expect(paths.toSorted()).toEqual(expectPacked());
});

test("no file in it refers to a file that is not in it", () => {
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

test("every link in its documents leads to something in it", () => {
  const dead = paths
    .filter((path) => path.endsWith(".md"))
    .flatMap((path) => {
      const links = readFileSync(join(root, path), "utf8").matchAll(
        /\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g,
      );
      const targets = [...links].map(([, inText, inTag]) => inText ?? inTag ?? "");
      return targets
        .filter((target) => !/^(https?:|#)/.test(target))
        .map((target) => normalize(join(path, "..", target.replace(/#.*/, ""))).replace(/\/$/, ""))
        .filter((target) => !paths.some((one) => one === target || one.startsWith(`${target}/`)))
        .map((target) => `${path}: ${target}`);
    });
  expect(dead).toEqual([]);
});

describe("its package.json", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

  test("lacks what only a checkout needs, and has all the rest unchanged", () => {
    const { scripts: _scripts, devDependencies: _dev, workspaces: _workspaces, ...rest } = manifest;
    expect(makePackedManifest(manifest, "")).toEqual(rest);
  });

  test.each([
    ["https://git.example.com/team/knockgate.git", "https://git.example.com/team/knockgate.git"],
    ["https://me:a-token@git.example.com/team/knockgate.git", "https://git.example.com/team/knockgate.git"],
    ["git@git.example.com:team/knockgate.git", "https://git.example.com/team/knockgate.git"],
    ["ssh://git@git.example.com/team/knockgate.git", "https://git.example.com/team/knockgate.git"],
  ])("names the repository that %s is, without a login", (origin, url) => {
    const { repository } = makePackedManifest(manifest, origin) as { repository?: unknown };
    expect(repository).toEqual({ type: "git", url: `git+${url}` });
  });

  test.each([
    [""],
    ["/srv/git/knockgate"],
    ["../main"],
    ["file:///srv/git/knockgate"],
    ["git.d/knockgate"],
    ["gateway:knockgate"],
  ])("names no repository for %j, which others can't reach", (origin) => {
    expect(makePackedManifest(manifest, origin)).not.toHaveProperty("repository");
  });
});

test("nothing runs when it is installed, and Pulumi's packages are the program's own", () => {
  const { scripts, dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const runAtInstall = ["preinstall", "install", "postinstall", "prepare"];
  expect(Object.keys(scripts).filter((name) => runAtInstall.includes(name))).toEqual([]);
  expect(Object.keys(peerDependencies).sort()).toEqual(["@pulumi/command", "@pulumi/pulumi"]);
  expect(peerDependenciesMeta).toEqual({ "@pulumi/command": { optional: true } });
  expect(Object.keys(dependencies).filter((name) => name.startsWith("@pulumi/"))).toEqual([]);
  // Only ssh2 has one. It builds a faster part, may fail, and nothing depends on it: docs/adr/002-ssh2.md.
  const withScripts = Object.keys(dependencies).filter((name) => {
    const { scripts } = require(join(root, "node_modules", name, "package.json"));
    return Object.keys(scripts ?? {}).some((script) => runAtInstall.slice(0, 3).includes(script));
  });
  expect(withScripts).toEqual(["ssh2"]);
});
