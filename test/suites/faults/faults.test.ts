import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, test, vi } from "vitest";
import { openLab } from "../../../lab/lab";
import { matrix } from "./matrix";
import { type Found, playRow } from "./play";
import { renderReport } from "./report";
import type { Row } from "./row";
import { openScene } from "./scene";

const isDeep = process.env["KNOCKGATE_DEEP"] === "1";
const runs = Number(process.env["KNOCKGATE_FAULT_RUNS"] ?? 1);
/** A pattern of rows to play, for a person who works on one. */
const pattern = process.env["KNOCKGATE_FAULT_ROWS"];
const chosen = matrix.filter(({ id, isDeep: isForDeep }) =>
  pattern === undefined ? isDeep || isForDeep !== true : new RegExp(pattern).test(id),
);

// A row mostly waits, but two processors must share the engine's processes.
vi.setConfig({ maxConcurrency: 8, testTimeout: 400_000, hookTimeout: 400_000 });

const found = new Map<Row, Found[]>(chosen.map((row) => [row, []]));

afterAll(() => {
  const played = chosen.map((row) => ({ row, runs: found.get(row) ?? [] }));
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

describe.each(Array.from({ length: runs }, (_, index) => index + 1))("run %i", () => {
  for (const row of chosen) {
    test.concurrent(`${row.id}: ${row.done}: the ${row.ends} ruleset stands`, async () => {
      // A lab for each row: no more rows run at once than a machine can boot hosts for, and no row leaves anything for
      // the next.
      const kind = row.on === "booted" ? { hosts: 0, bootedHosts: 1 } : { hosts: 1 };
      const lab = await openLab({ ...kind, clients: 2 });
      try {
        found.get(row)?.push(await playRow(row, openScene(row, lab)));
      } finally {
        await lab.close();
      }
    });
  }
});
