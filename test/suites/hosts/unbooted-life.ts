import { expect } from "vitest";
import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import type { Policy } from "../../../src/policy/policy";
import type { Deployment } from "../host/deployment";
import { isLetIn, listFiles } from "../host/inspection";
import { listDrift } from "../host/look";
import { beginLife, liveThroughGate, newSteps } from "./life";

/**
 * Plays a gate's whole life on a host that does not boot: in place of a boot, all rules are flushed, and the documented
 * command runs. The lab needs two clients. Returns all that the deployer was told.
 */
export async function playLife(
  lab: Lab,
  host: LabHost,
  backend: Policy["backend"],
  deploy?: () => Promise<Deployment>,
): Promise<string> {
  const life = beginLife(lab, host, backend, deploy === undefined ? {} : { deploy });
  const { changed } = life.policies;
  const before = await life.listAll();
  await liveThroughGate(life);

  await host.run(["sh", "-c", flush[backend]]);
  await host.run(["sh", "/var/lib/knockgate/edge/host.sh", "boot", "edge"]);
  expect(await isLetIn(life.stranger, host)).toBe(false);
  expect(await isLetIn(life.stranger, host, newSteps)).toBe(true);
  expect(await listDrift(lab, host, changed, life.deploy)).toEqual([]);

  await life.remove(changed);
  expect(await life.listAll()).toBe(before);
  expect(await listFiles(host)).toEqual([]);
  return life.told.join("\n");
}

const flush = {
  nftables: "nft flush ruleset",
  // With the doors: the lists of xt_recent outlive rules, and sources that have just knocked are let in.
  iptables:
    "iptables -D INPUT 1; ip6tables -D INPUT 1; iptables -F kg_edge; echo / >/proc/net/xt_recent/kg_edge_ssh_open",
};
