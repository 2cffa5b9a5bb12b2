import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Series } from "../../../bench/scale/series";
import { makeDirectory, removeDirectory } from "../../../lab/directory";

// The provider's process fakes those hosts. The compiler checks what they are asked, but not their answers.
test("npm run scale takes gates and fleets through their lives on hosts that answer at once", async () => {
  const directory = makeDirectory();
  try {
    const file = join(directory, "figures.json");
    const options = ["--hosts", "2", "--subjects", "gates,fleet", "--json", file];
    const main = join(__dirname, "..", "..", "..", "bench", "scale", "main.ts");
    const measuring = spawn(process.execPath, ["--import", "tsx", main, ...options], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    expect(await once(measuring, "exit")).toEqual([0, null]);
    const { results }: { readonly results: Readonly<Record<string, Series>> } = JSON.parse(
      readFileSync(file, "utf8"),
    );
    const acts = Object.entries(results).map(([subject, series]) => [subject, series.acts.length]);
    expect(acts).toEqual([
      ["gates", 5],
      ["fleet", 5],
    ]);
  } finally {
    removeDirectory(directory);
  }
});
