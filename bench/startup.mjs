// What it costs to start the command line: `node bench/startup.mjs` after a build. Each row is run in turns with `node -e 0`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const rounds = 41;
const main = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "cli", "main.js");
if (!existsSync(main)) throw new Error("dist is not built: node scripts/build.mjs");

const home = mkdtempSync(join(tmpdir(), "knockgate-startup-"));
// A port of this machine that refuses: the knock and the answer take next to no time, so that what is left is the start.
const knock = [main, "knock", "127.0.0.1", "-s", "tcp:1", "-p", "1"];
/** @type {Readonly<Record<string, readonly string[]>>} */
const rows = {
  "node -e 0": ["-e", "0"],
  "knockgate --version": [main, "--version"],
  "knockgate profile list": [main, "profile", "list"],
  "knockgate knock 127.0.0.1": knock,
};

/** @type {Map<string, number[]>} */
const times = new Map(Object.keys(rows).map((name) => [name, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const [name, words] of Object.entries(rows)) {
    const startedAt = performance.now();
    spawnSync(process.execPath, words, { env: { PATH: process.env.PATH, XDG_CONFIG_HOME: home } });
    times.get(name)?.push(performance.now() - startedAt);
  }
}
rmSync(home, { recursive: true, force: true });

const medians = new Map(
  [...times].map(([name, all]) => [name, all.sort((one, other) => one - other)[rounds >> 1] ?? 0]),
);
const floor = medians.get("node -e 0") ?? 1;
console.log(`| started | median of ${rounds} | of node -e 0 |\n| --- | --- | --- |`);
for (const [name, median] of medians) {
  console.log(`| ${name} | ${median.toFixed(1)} ms | ${(median / floor).toFixed(2)} |`);
}
