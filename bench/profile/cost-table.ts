import type { LabHost } from "../../lab/host";
import type { Lab } from "../../lab/lab";
import { planLoad } from "../../src/backends/load";
import { changeHost } from "../../src/change/change";
import type { Policy } from "../../src/policy/policy";
import { connectionTo, openDeployment } from "../../test/suites/host/deployment";
import { pushBySsh2 } from "../change/bare";
import { gatePolicies } from "../change/hosts";
import { stepsOf } from "../change/target";
import { renderTable } from "../table";
import { followHostCosts, type HostCost, type HostCosts, login } from "./host-cost";

const changes = 40;
const floor = "floor";
const words = ["processes", "checks", "loads", "listings"] as const;

/** What each command of a change is for. */
const promises: readonly (readonly [command: string, promise: string])[] = [
  [login, "two logins: a gate is proven by a fresh one"],
  ["probe", "look: an unfit host is refused untouched; drift, and other rules before the ports, are seen"],
  ["stage", "stage: the host accepts the ruleset, and what would be undone can be loaded; the timer starts"],
  ["arm", "arm: the host undoes the change by itself"],
  ["load", "load: all or nothing, and what the kernel has then is read back"],
  ["count", "prove: the gate's own counter saw the dropped packet"],
  ["confirm", "confirm: it is still what was loaded; it is on the disk, and the boot's"],
];

/** Updates the lab's only host again and again. Returns in Markdown what each promise costs the host. */
export async function tabulateHostCosts(lab: Lab): Promise<string> {
  const [host] = lab.hosts;
  if (host === undefined || lab.hosts.length > 1) throw new Error("the lab must have one host");
  const costs = await followHostCosts(host);
  for (let turn = 0; turn < changes + 2; turn += 1) {
    if (turn === 2) costs.clear();
    const [policy, former] = turn % 2 === 0 ? gatePolicies : [gatePolicies[1], gatePolicies[0]];
    const context = await openDeployment(connectionTo(lab, host), costs.wrap);
    await changeHost({ policy, formerPolicies: [former], owner: "profile", undoAfterSeconds: 60 }, context);
    await pushBare(lab, host, policy, costs);
  }
  const rows = promises.map(([command, promise]) => [promise, ...listCosts(costs.spent.get(command))]);
  const all = promises.flatMap(([command]) => costs.spent.get(command) ?? []);
  return renderTable(
    ["promise", "processes", "nft tries", "nft loads", "nft lists", "processor time"],
    [
      ...rows,
      ["all of a change", ...listSums(all)],
      ["a bare push: two logins, one `nft -f`", ...listCosts(costs.spent.get(floor))],
    ],
  );
}

/** Loads the same ruleset again, by the way that the floor of the figure `change` has. */
function pushBare(
  lab: Lab,
  { ipv4: address, hostKey, name }: LabHost,
  policy: Policy,
  costs: HostCosts,
): Promise<void> {
  const steps = stepsOf(policy);
  const target = { name, address, hostKey, privateKey: lab.privateKey };
  const { text } = planLoad(policy, undefined, "127.0.0.1");
  return costs.note(floor, () => pushBySsh2(target, { text, before: steps, after: steps }));
}

function listCosts(cost: HostCost | undefined): readonly string[] {
  return cost === undefined ? words.map(() => "") : listSums([cost]);
}

/** Of one change. */
function listSums(costs: readonly HostCost[]): readonly string[] {
  const sum = (quantity: (typeof words)[number] | "ms") =>
    costs.reduce((total, cost) => total + cost[quantity], 0) / changes;
  return [...words.map((word) => round(sum(word))), `${sum("ms").toFixed(0)} ms`];
}

function round(count: number): string {
  return count === 0 ? "" : count.toFixed(1).replace(/\.0$/, "");
}
