import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { Series } from "../../../bench/scale/series";
import { makeDirectory, removeDirectory } from "../../../lab/directory";

vi.setConfig({ testTimeout: 180_000 });

/** So many that what stands once in a stack is some 100 bytes a host. */
const hosts = 50;

// docs/scale.md has the figures of more hosts, part by part. Each limit is less than 1 kB above its figure.
test("a gate of one SSH policy takes at most 6.5 kB of the state, and a host of a fleet 6 kB", async () => {
  const directory = makeDirectory();
  try {
    const file = join(directory, "figures.json");
    const subjects = ["--subjects", "gates,fleet", "--acts", "up", "--checkpoints", "last"];
    const main = join(__dirname, "..", "..", "..", "bench", "scale", "main.ts");
    const options = ["--hosts", `${hosts}`, ...subjects, "--json", file];
    const measuring = spawn(process.execPath, ["--import", "tsx", main, ...options], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    expect(await once(measuring, "exit")).toEqual([0, null]);
    const { results }: { readonly results: Readonly<Record<"gates" | "fleet", Series>> } = JSON.parse(
      readFileSync(file, "utf8"),
    );
    const { gates, fleet } = results;
    const parts = [gates, fleet].map(({ state }) => JSON.stringify(state.parts, undefined, 2));
    expect(gates.state.bytesPerHost, parts[0]).toBeLessThan(6_500);
    expect(fleet.state.bytesPerHost, parts[1]).toBeLessThan(6_000);
    for (const { state } of [gates, fleet]) {
      const sum = Object.values(state.parts).reduce((all, bytes) => all + bytes, 0);
      expect(Math.abs(sum - state.bytesPerHost)).toBeLessThan(Object.keys(state.parts).length);
    }
  } finally {
    removeDirectory(directory);
  }
});
