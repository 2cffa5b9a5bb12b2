import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test, vi } from "vitest";
import type { LabHost } from "../lab/host";
import { type Lab, openLab } from "../lab/lab";
import { listReference, sortLines } from "./host-state";
import { matrix } from "./matrix";
import { type Found, playRow, type References } from "./play";
import { makePolicy, newSteps, oldSteps } from "./policies";
import { renderReport } from "./report";
import type { Row } from "./row";
import { openScene } from "./scene";

const isDeep = process.env["KNOCKGATE_DEEP"] === "1";
const runs = Number(process.env["KNOCKGATE_FAULT_RUNS"] ?? 1);
/** A pattern of rows to play, for whoever works on one. */
const pattern = process.env["KNOCKGATE_FAULT_ROWS"];
const chosen = matrix.filter(({ id, isDeep: isForDeep }) =>
  pattern === undefined ? isDeep || isForDeep !== true : new RegExp(pattern).test(id),
);

// A row mostly waits; the engine's processes are what two processors must share.
vi.setConfig({ maxConcurrency: 8, testTimeout: 400_000, hookTimeout: 400_000 });

const found = new Map<Row, Found[]>(chosen.map((row) => [row, []]));

afterAll(() => {
  const played = chosen.map((row) => ({ row, runs: found.get(row) ?? [] }));
  const passed = played.filter(({ runs }) => runs.length > 0);
  const folder = join(__dirname, "..", "..", "node_modules", ".cache", "knockgate");
  mkdirSync(folder, { recursive: true });
  const results = passed.map(({ row: { id, done }, runs }) => ({ id, done, runs }));
  writeFileSync(join(folder, "faults.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  const document = process.env["KNOCKGATE_FAULTS_DOCUMENT"];
  const isWhole = isDeep && played.every((row) => row.runs.length === runs);
  if (document !== undefined && isWhole) writeFileSync(document, renderReport(played));
  else writeFileSync(join(folder, "faults.md"), renderReport(passed));
});

describe.each(Array.from({ length: runs }, (_, index) => index + 1))("run %i", () => {
  let lab: Lab;
  let references: Record<"nftables" | "iptables", References>;
  const hosts = new Map<Row, LabHost>();

  beforeAll(async () => {
    const onNamespaces = chosen.filter(({ on }) => on === "namespace");
    const onBooted = chosen.filter(({ on }) => on === "booted");
    lab = await openLab({ hosts: onNamespaces.length, bootedHosts: onBooted.length, clients: 2 });
    for (const [index, host] of lab.hosts.entries()) place(onNamespaces[index], host);
    for (const [index, host] of lab.bootedHosts.entries()) place(onBooted[index], host);
    const [, spare] = lab.clients;
    if (spare === undefined) throw new Error("no client");
    const list = async (backend: Row["backend"]): Promise<References> => ({
      old: sortLines(await listReference(spare, makePolicy(oldSteps, backend))),
      new: sortLines(await listReference(spare, makePolicy(newSteps, backend))),
    });
    references = { nftables: await list(undefined), iptables: await list("iptables") };
  });
  afterAll(() => lab?.close());

  function place(row: Row | undefined, host: LabHost): void {
    if (row !== undefined) hosts.set(row, host);
  }

  for (const row of chosen) {
    test.concurrent(`${row.id}: ${row.done}: the ${row.ends} ruleset stands`, async () => {
      const host = hosts.get(row);
      const [client] = lab.clients;
      if (host === undefined || client === undefined) throw new Error("no host");
      const scene = openScene(row, lab, host, client);
      found.get(row)?.push(await playRow(row, scene, references[row.backend ?? "nftables"]));
    });
  }
});
