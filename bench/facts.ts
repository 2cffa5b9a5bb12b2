import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { root } from "./root";

/** Pairs of a name and a value that say where figures come from. */
export type Facts = Readonly<Record<string, string>>;

/** Lists the machine, the tools and the version that this run measures. */
export function readFacts(): Facts {
  const [, system = "unknown"] = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8")) ?? [];
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: readCommit(),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    system,
    kernel: release(),
    node: process.versions.node,
    nft: firstLine("nft", "--version"),
    iptables: firstLine("iptables", "--version"),
  };
}

/** The commit, and whether the files differ from it. */
function readCommit(): string {
  const git = (...words: string[]) => {
    return spawnSync("git", ["-C", root, "-c", `safe.directory=${root}`, ...words], { encoding: "utf8" })
      .stdout;
  };
  const commit = git("rev-parse", "--short=12", "HEAD")?.trim();
  if (!commit) return "unknown";
  const changed = git(
    "status",
    "--porcelain",
    "--untracked-files=no",
    "--",
    "src",
    "bench/*.ts",
    "bench/figures",
  );
  return changed.trim() === "" ? commit : `${commit} with changes`;
}

/** The version that a tool prints; "missing" when it can't be started. */
export function firstLine(...command: readonly [string, ...string[]]): string {
  const [tool, ...words] = command;
  const { stdout, stderr, error } = spawnSync(tool, words, { encoding: "utf8" });
  if (error !== undefined) return "missing";
  return `${stdout}${stderr}`.split("\n")[0]?.trim() ?? "";
}
