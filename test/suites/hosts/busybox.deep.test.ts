import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { claimHost, deployTo, waitUntil } from "../host/deployment";
import { isLetIn, listFiles } from "../host/inspection";
import { leavePending } from "../host/pending";
import { makePolicy } from "../host/policies";
import { busyboxRows } from "./init-rows";
import { recordResult } from "./row";
import { playLife } from "./unbooted-life";
import { askVersions } from "./versions";

vi.setConfig({ maxConcurrency: 2, testTimeout: 300_000 });

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 2, clients: 2, suite: "busybox" });
});
afterAll(() => lab?.close());

/** The commands of a host that are not busybox's. */
const listOwn =
  'for f in /usr/bin/* /usr/sbin/*; do case $(readlink -f "$f") in */busybox*) ;; *) basename "$f" ;; esac; done';

test.concurrent.each(busyboxRows)("a host with $on lives a gate's whole life", async (row) => {
  const host = claimHost(lab);
  const { stdout } = await host.run(["sh", "-c", listOwn]);
  expect(stdout).toMatch(/^(dropbear.*\n|nft\n|(x|ip6?)tables.*\n)+$/);
  expect(await playLife(lab, host, row.backend)).toContain(
    "neither systemd nor OpenRC, so nothing loads it at boot until you add the line",
  );
  const [client] = lab.clients;
  if (client === undefined) throw new Error("the lab has no client");
  await leavePending(makePolicy({ backend: row.backend }), undefined, 10, await deployTo(lab, host));
  expect(await isLetIn(client, host)).toBe(false);
  await waitUntil("the undo", 60_000, async () => isLetIn(client, host));
  await waitUntil("no file of a change", 60_000, async () => !(await listFiles(host)).join().includes("ID"));
  const tool = row.backend === "nftables" ? "nft --version" : "iptables --version";
  recordResult(row, {
    versions: await askVersions(host, ["busybox --help", "dropbear -V", tool]),
    result:
      "All of it works over SSH; the host undid the unconfirmed change itself. Nothing is loaded at boot without the line that boot.md names",
  });
});
