import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, vi } from "vitest";
import { isDeep, runs, testMatrix } from "./play-matrix";
import { renderReport } from "./report";

// A row mostly waits, but two processors must share the engine's processes.
vi.setConfig({ maxConcurrency: 8, testTimeout: 400_000, hookTimeout: 400_000 });

const listPlayed = testMatrix();

afterAll(() => {
  const played = listPlayed();
  const passed = played.filter(({ runs }) => runs.length > 0);
  const folder = join(__dirname, "..", "..", "..", "node_modules", ".cache", "knockgate");
  mkdirSync(folder, { recursive: true });
  const results = passed.map(({ row: { id, done }, runs }) => ({ id, done, runs }));
  writeFileSync(join(folder, "faults.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  const document = process.env["KNOCKGATE_FAULTS_DOCUMENT"];
  const isWhole = isDeep && played.every((row) => row.runs.length === runs);
  if (document !== undefined && isWhole) writeFileSync(document, renderReport(played));
  else writeFileSync(join(folder, "faults.md"), renderReport(passed));
});
