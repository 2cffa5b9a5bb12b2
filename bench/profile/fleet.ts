import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Lab } from "../../lab/lab";
import { prepareEngine } from "../fleet/engine";
import { parallel, preparePushes } from "../fleet/pushes";
import { renderFleet } from "./fleet-table";
import { listOwners, type Owners, sumOwners } from "./owners";

/**
 * Rolls a policy out to all hosts of a lab, and then declares as many resources that do nothing. Returns in Markdown
 * who used how much processor time.
 */
export async function profileFleet(lab: Lab, directory: string): Promise<string> {
  const count = lab.hosts.length;
  const profiles = join(directory, "profiles");
  mkdirSync(profiles);
  const engine = prepareEngine(lab, directory);
  const noOps = await engine("floor", count, 0);
  const push = await preparePushes(lab.hosts, lab.privateKey, directory).bySsh2(count, parallel);
  const plain = await engine("wave", count, 0);
  await engine("wave", count, 0, { profiles });
  const [floorRoles, ourRoles] = [noOps.measured.roles, plain.measured.roles];
  const rows = [
    { name: "hosts", floor: push.hostSeconds, ours: plain.hostSeconds },
    ...(["engine", "provider", "program"] as const).map((role) => {
      return { name: role, floor: floorRoles[role].cpuSeconds, ours: ourRoles[role].cpuSeconds };
    }),
  ];
  const clock = { floor: noOps.measured.seconds + push.seconds, ours: plain.measured.seconds };
  const threads = (["provider", "program"] as const).map((role) => {
    const owners = readOwners(profiles, role);
    return `The ${role}'s thread is busy for ${sumOwners(owners, count).toFixed(0)} ms a host: ${listOwners(owners)}.`;
  });
  const [ourBytes, floorBytes] = [plain, noOps].map(({ state }) => (state.bytesPerHost / 1_000).toFixed(0));
  return [
    `A first rollout to ${count} hosts, ${parallel} at a time, in seconds of processor time. The hosts of the lab compute on ` +
      `the deployer's ${availableParallelism()} processors, which hosts elsewhere don't.`,
    "",
    renderFleet(rows, clock, count),
    "",
    ...threads,
    `A gate's state has ${ourBytes} kB, a thing's that does nothing ${floorBytes} kB.`,
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
