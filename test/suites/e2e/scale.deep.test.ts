import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Series } from "../../../bench/scale/series";
import { makeDirectory, removeDirectory } from "../../../lab/directory";

const main = join(__dirname, "..", "..", "..", "bench", "scale", "main.ts");

/** The command lines of this lab's processes. */
function listProcesses(): readonly string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, "utf8")] : [];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

test.each([
  ["a measurement", ["--hosts", "2"], 0],
  ["one that fails", ["--hosts", "none"], 1],
])("the PostgreSQL server of %s ends with it, and leaves no file", async (_how, hosts, code) => {
  const directory = makeDirectory();
  try {
    const [file, temporary] = [join(directory, "figures.json"), join(directory, "tmp")];
    // The server's user must get through.
    mkdirSync(temporary, { mode: 0o755 });
    await once(spawn("chmod", ["0755", directory]), "exit");
    const options = [
      ...hosts,
      "--subjects",
      "floor",
      "--acts",
      "up",
      "--backend",
      "postgres",
      "--json",
      file,
    ];
    const measuring = spawn(process.execPath, ["--import", "tsx", main, ...options], {
      stdio: ["ignore", "ignore", code === 0 ? "inherit" : "ignore"],
      env: { ...process.env, TMPDIR: temporary },
    });
    expect(await once(measuring, "exit")).toEqual([code, null]);
    // tsx leaves a folder for its cache.
    expect(readdirSync(temporary).filter((name) => name.startsWith("knockgate"))).toEqual([]);
    expect(listProcesses().filter((line) => line.includes("postgres"))).toEqual([]);
    if (code !== 0) return;
    const { results }: { readonly results: { readonly floor: Series } } = JSON.parse(
      readFileSync(file, "utf8"),
    );
    const [up] = results.floor.acts;
    expect(results.floor.state.bytes).toBeGreaterThan(1_000);
    // Several times the state: it is written at each step.
    expect(up?.writtenMegabytes).toBeGreaterThan((results.floor.state.bytes / 1_048_576) * 2);
    expect(up?.roles.database.peakMegabytes).toBeGreaterThan(0);
  } finally {
    removeDirectory(directory);
  }
});
