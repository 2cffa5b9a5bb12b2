import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { finishCommand } from "../../../lab/command";

const root = join(__dirname, "..", "..", "..");
const limitMs = 600_000;

function readBlock(page: string, pattern: RegExp): readonly string[] {
  const [, block = ""] = pattern.exec(readFileSync(join(root, page), "utf8")) ?? [];
  return block.trimEnd().split("\n");
}

/** The README's example has another name and address, and other machines have another nft. */
function asInReadme(line: string): string {
  return line
    .replace(/^host3: edge on [\d.]+:/, "edge: edge on 10.1.1.2:")
    .replace(/^(edge: .*: nft )[\d.]+/, "$11.0.6");
}

test("all claims of the demo hold, and the pages show what it prints", { timeout: limitMs }, async () => {
  const program = ["node_modules/.bin/tsx", "demo/main.ts"].map((path) => join(root, path));
  const demo = spawn(process.execPath, program);
  const { stdout } = await finishCommand(demo, "npm run demo", { timeoutMs: limitMs });
  const [, table = ""] = stdout.split(/^shown +held +seen\n.*\n/m);
  const shown = table.split("\n").filter((line) => / {2}yes {3}/.test(line));
  expect(shown.length).toBeGreaterThan(20);
  expect(table).toContain(`${shown.length} of ${shown.length} held`);

  const claims = shown.map((line) => line.replace(/ +yes .*/, ""));
  const paged = readBlock("docs/getting-started.md", /```text\n(first up gates [\s\S]*?)```/)
    .filter((line) => line !== "...")
    .map((line) => line.replace(/ +yes .*/, ""));
  expect(claims.filter((claim) => paged.includes(claim))).toEqual(paged);

  const printed = stdout.split("\n").map((line) => asInReadme(line.trim()));
  const steps = readBlock("README.md", /```text\n(edge: edge on [\s\S]*?)```/);
  expect(steps.filter((line) => !printed.includes(line))).toEqual([]);
});
