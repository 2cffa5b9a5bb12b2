import { createRequire } from "node:module";
import type { Lab } from "../../lab/lab";
import { changeHost } from "../../src/change/change";
import { connectionTo, openDeployment } from "../../test/suites/host/deployment";
import { gatePolicies } from "../change/hosts";
import { readHostSeconds } from "../fleet/host-time";
import { type Owners, sumOwners } from "./owners";
import { renderPhases } from "./phase-table";
import { followPhases } from "./phases";

/** Plain Node must be able to load it, too. */
const profiler: { startProfile(): { look(): Owners } } = createRequire(__filename)("./profile-process.cjs");

const changes = 40;
/** Changes before the first one that counts. */
const warmUps = 5;

/** Updates the lab's first host again and again. Returns in Markdown where the time went. */
export async function profileChange(lab: Lab): Promise<string> {
  const [host] = lab.hosts;
  if (host === undefined) throw new Error("the lab has no host");
  const spent = new Map<string, number[]>();
  const wholes: number[] = [];
  let profile: { look(): Owners } | undefined;
  let [hostSeconds, cpuMicroseconds] = [0, 0];
  for (let turn = -warmUps; turn < changes; turn += 1) {
    if (turn === 0) {
      profile = profiler.startProfile();
      hostSeconds = readHostSeconds();
      cpuMicroseconds = readOwnMicroseconds();
    }
    const phases = followPhases();
    const context = await openDeployment(connectionTo(lab, host), phases.wrap);
    const [policy, former] = turn % 2 === 0 ? gatePolicies : [gatePolicies[1], gatePolicies[0]];
    const startedMs = performance.now();
    await changeHost({ policy, formerPolicies: [former], owner: "profile", undoAfterSeconds: 60 }, context);
    if (turn < 0) continue;
    wholes.push(performance.now() - startedMs);
    for (const [name, ms] of phases.spent) spent.set(name, [...(spent.get(name) ?? []), ms]);
  }
  const hostMs = ((readHostSeconds() - hostSeconds) * 1_000) / changes;
  const deployerMs = (readOwnMicroseconds() - cpuMicroseconds) / 1_000 / changes;
  const owners = profile?.look() ?? {};
  const ownMs = (name: string) => `${((owners[name] ?? 0) / changes).toFixed(0)} ms`;
  return [
    `An update through the gate, median of ${changes}, with the host beside the deployer. Both are on the same processors.`,
    "",
    renderPhases(spent, wholes),
    "",
    `The host computes ${hostMs.toFixed(0)} ms of it and the deployer ${deployerMs.toFixed(0)} ms, of which ` +
      `${sumOwners(owners, changes).toFixed(0)} ms are its thread's: Knockgate's own code ${ownMs("Knockgate and its program")}, ` +
      `ssh2 ${ownMs("ssh2")}.`,
  ].join("\n");
}

function readOwnMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
