import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Lab } from "../../test/lab/lab";
import { prepareEngine } from "../fleet/engine";
import { parallel, preparePushes } from "../fleet/pushes";
import { formatNumber, renderTable } from "../table";
import { type Owners, renderOwners } from "./owners";

/** Rolls a policy out to all hosts of a lab, and as many things that do nothing, and renders who computed how much. */
export async function profileFleet(lab: Lab, directory: string): Promise<string> {
  const count = lab.hosts.length;
  const profiles = join(directory, "profiles");
  mkdirSync(profiles);
  const engine = prepareEngine(lab, directory);
  const noOps = await engine("floor", count, 0);
  const push = await preparePushes(lab.hosts, lab.privateKey, directory).bySsh2(count, parallel);
  const plain = await engine("wave", count, 0);
  await engine("wave", count, 0, profiles);
  const columns = [
    ["engine", noOps.measured.roles.engine.cpuSeconds, plain.measured.roles.engine.cpuSeconds],
    ["provider", noOps.measured.roles.provider.cpuSeconds, plain.measured.roles.provider.cpuSeconds],
    ["program", noOps.measured.roles.program.cpuSeconds, plain.measured.roles.program.cpuSeconds],
    ["hosts", push.hostSeconds, plain.hostSeconds],
  ] as const;
  const rows = columns.map(([name, floor, ours]) => [name, formatNumber(floor), formatNumber(ours)]);
  const sums = [1, 2].map((column) => columns.reduce((sum, row) => sum + Number(row[column]), 0));
  const processors = availableParallelism();
  return [
    `First rollout to ${count} hosts, ${parallel} at a time, seconds of ${processors} processors' time:`,
    "",
    renderTable(
      ["who computes", "floor: no-ops, bare pushes", "Knockgate"],
      [
        ...rows,
        ["all", ...sums.map(formatNumber)],
        [
          "by the clock",
          ...[noOps.measured.seconds + push.seconds, plain.measured.seconds].map(formatNumber),
        ],
        ["bytes of state a host", ...[noOps, plain].map(({ state }) => formatNumber(state.bytesPerHost))],
      ],
    ),
    "",
    ...(["provider", "program"] as const).map((role) => {
      return renderOwners(`the ${role}'s thread`, readOwners(profiles, role), count, "a host");
    }),
  ].join("\n");
}

function readOwners(profiles: string, role: string): Owners {
  const sums: Record<string, number> = {};
  for (const file of readdirSync(profiles).filter((name) => name.startsWith(`${role}-`))) {
    const owners: Owners = JSON.parse(readFileSync(join(profiles, file), "utf8"));
    for (const [name, ms] of Object.entries(owners)) sums[name] = (sums[name] ?? 0) + ms;
  }
  return sums;
}
