import { describe, test } from "vitest";
import { openLab } from "../../../lab/lab";
import type { RootfsKind } from "../../../tools/setup/rootfs-place.mjs";
import { listRows } from "./matrix";
import { type Found, playRow } from "./play";
import type { Played } from "./report";
import type { Row } from "./row";
import { openScene } from "./scene";

/** Whether this run has the time that all rows need. */
export const isDeep = process.env["KNOCKGATE_DEEP"] === "1";
/** How often each row is played. */
export const runs = Number(process.env["KNOCKGATE_FAULT_RUNS"] ?? 1);
/** A pattern of rows to play, for a person who works on one. */
const pattern = process.env["KNOCKGATE_FAULT_ROWS"];

function isChosen({ id, isDeep: isForDeep }: Row): boolean {
  return pattern === undefined ? isDeep || isForDeep !== true : new RegExp(pattern).test(id);
}

/**
 * Makes a test of each row. Returns what they found so far.
 *
 * @param debian the Debian that the hosts are; default: this machine's files, or Debian 12 if a host boots
 * @param transport what the deployer speaks SSH by; default: what each row says
 */
export function testMatrix(debian?: RootfsKind, transport?: Row["transport"]): () => readonly Played[] {
  const chosen = listRows(debian).filter(isChosen);
  const found = new Map<Row, Found[]>(chosen.map((row) => [row, []]));
  describe.each(Array.from({ length: runs }, (_, index) => index + 1))("run %i", () => {
    for (const row of chosen) {
      test.concurrent(`${row.id}: ${row.done}: the ${row.ends} ruleset stands`, async () => {
        // A lab for each row: no more rows run at once than a machine can boot hosts for, and no row leaves anything
        // for the next.
        const kind =
          row.on === "booted"
            ? { hosts: 0, bootedHosts: 1, ...(debian === undefined ? {} : { bootedInit: debian }) }
            : { hosts: 1, ...(debian === undefined ? {} : { suite: debian }) };
        const lab = await openLab({ ...kind, clients: 2 });
        try {
          found.get(row)?.push(await playRow(row, openScene(row, lab, debian, transport)));
        } finally {
          await lab.close();
        }
      });
    }
  });
  return () => chosen.map((row) => ({ row, runs: found.get(row) ?? [] }));
}
