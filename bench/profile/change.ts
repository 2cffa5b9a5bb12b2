import { createRequire } from "node:module";
import { changeHost } from "../../src/apply/change";
import { connectionTo, openDeployment } from "../../test/host/deployment";
import type { Lab } from "../../test/lab/lab";
import { gatePolicies } from "../change/hosts";
import { readHostSeconds } from "../fleet/host-time";
import { median } from "../statistics";
import { formatNumber, renderTable } from "../table";
import { type Owners, renderOwners } from "./owners";
import { followPhases } from "./phases";

/** It has to be loaded into plain Node, too. */
const profiler: { startProfile(): { look(): Owners } } = createRequire(__filename)("./profile-process.cjs");

const changes = 40;
/** Before the first that counts. */
const warmUps = 5;

/** Updates the lab's first host time and again, and renders where the time went. */
export async function profileChange(lab: Lab): Promise<string> {
  const [host] = lab.hosts;
  if (host === undefined) throw new Error("the lab has no host");
  const spent = new Map<string, number[]>();
  const note = (name: string, ms: number) => spent.set(name, [...(spent.get(name) ?? []), ms]);
  let profile: { look(): Owners } | undefined;
  let [hostSeconds, cpuMicroseconds] = [0, 0];
  for (let turn = -warmUps; turn < changes; turn += 1) {
    if (turn === 0) {
      profile = profiler.startProfile();
      hostSeconds = readHostSeconds();
      cpuMicroseconds = readOwnMicroseconds();
    }
    const phases = followPhases();
    const world = await openDeployment(connectionTo(lab, host), phases.wrap);
    const [policy, former] = turn % 2 === 0 ? gatePolicies : [gatePolicies[1], gatePolicies[0]];
    const startedMs = performance.now();
    await changeHost({ policy, formerPolicies: [former], owner: "profile", undoAfterSeconds: 60 }, world);
    if (turn < 0) continue;
    note("the whole change", performance.now() - startedMs);
    for (const [name, ms] of phases.spent) note(name, ms);
  }
  const perChange = [
    ["its host computes", ((readHostSeconds() - hostSeconds) * 1_000) / changes],
    ["the deployer computes", (readOwnMicroseconds() - cpuMicroseconds) / 1_000 / changes],
  ] as const;
  const whole = median(spent.get("the whole change") ?? []);
  const rows = [...spent].map(([name, all]) => {
    const ms = median(all);
    return [name, `${formatNumber(ms)} ms`, `${((100 * ms) / whole).toFixed(0)} %`];
  });
  const computing = perChange.map(([name, ms]) => [name, `${formatNumber(ms)} ms`, ""]);
  return [
    `Update through the gate, ${changes} changes:`,
    "",
    renderTable(["phase", "median", "share"], [...rows, ...computing]),
    "",
    renderOwners("the deployer's thread", profile?.look() ?? {}, changes, "a change"),
  ].join("\n");
}

function readOwnMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
