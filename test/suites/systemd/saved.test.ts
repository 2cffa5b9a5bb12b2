import { describe, expect } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { changeHost } from "../../../src/change/change";
import { watchClosed } from "../host/connect-loop";
import { deployTo, waitUntil } from "../host/deployment";
import { isLetIn, listGate } from "../host/inspection";
import { makePolicy, oldPolicy, oldSteps } from "../host/policies";
import { gateBooted, test } from "./booted";

/** The elements of both families: open doors, sources in mid-knock, and rates of first steps. */
async function listElements(host: BootedHost): Promise<string> {
  const { stdout } = await host.run(["nft", "list", "table", "inet", "knockgate_edge"]);
  return stdout
    .split("\n")
    .filter((line) => line.includes("elements ="))
    .join("\n");
}

describe("a ruleset that was saved while doors were open, and that nftables.service loads", () => {
  test("opens none of them: after a restart, a reload, and a reboot", async ({ lab }) => {
    const [host, gate] = await gateBooted(lab);
    const sets = ["ssh_open_v4", "ssh_step1_v4", "mid_knock1_v4"].map((set) => `${set} { 192.0.2.9 }`);
    const six = ["ssh_open_v6", "ssh_step1_v6", "mid_knock1_v6"].map((set) => `${set} { 2001:db8::9 }`);
    for (const element of [...sets, ...six]) {
      await host.run(["sh", "-c", `nft add element inet knockgate_edge ${element}`]);
    }
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    await host.run(["sh", "-c", "(echo flush ruleset; nft list ruleset) >/etc/nftables.conf"]);
    expect(await listElements(host)).toContain("2001:db8::9");
    await host.run(["systemctl", "enable", "nftables.service"]);
    for (const command of ["start", "restart", "reload"]) {
      await host.run(["systemctl", command, "nftables.service"]);
      await waitUntil(`no door after a ${command}`, 10_000, async () => (await listElements(host)) === "");
      expect(await isLetIn("outside", host)).toBe(false);
    }
    await host.reboot({ how: "power" });
    await waitUntil("the gate", 10_000, async () => (await listGate(host)) === gate);
    expect(await listElements(host)).toBe("");
    expect(await isLetIn("outside", host)).toBe(false);
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
  });
});

test("no source gets in while nftables.service restarts and reloads, and nothing is left of the table that held the gate", async ({
  lab,
}) => {
  const [host, gate] = await gateBooted(lab);
  await host.run(["systemctl", "enable", "--now", "nftables.service"]);
  await waitUntil("the gate", 10_000, async () => (await listGate(host)) === gate);
  const [client] = lab.clients;
  if (client === undefined) throw new Error("expected a client");
  const seen = await watchClosed(client, host, async () => {
    for (const command of ["restart", "reload", "restart", "reload"]) {
      await host.run(["systemctl", command, "nftables.service"]);
      await waitUntil(`the gate after a ${command}`, 10_000, async () => (await listGate(host)) === gate);
    }
  });
  expect(seen.answered).toBe(0);
  expect(seen.begun).toBeGreaterThan(200);
  await waitUntil("no held gate", 5_000, async () => !(await host.ruleset()).includes("_held"));
  await host.run(["systemctl", "stop", "nftables.service"]);
  expect(await host.ruleset()).toBe("");
  expect(await isLetIn("outside", host)).toBe(true);
});

/** Stands in for the real firewalld: a unit of its name, so that a real systemd can be asked about it. */
const firewalld = `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
[Install]
WantedBy=multi-user.target
`;

test("a gate of iptables is refused where a firewall flushes iptables, and an existing one changes to nftables", async ({
  lab,
}) => {
  const policy = makePolicy({ backend: "iptables" });
  const [host] = await gateBooted(lab, policy);
  const install = "cat >/etc/systemd/system/firewalld.service && systemctl daemon-reload";
  await host.run(["sh", "-c", install], { stdin: firewalld });
  const update = { policy: makePolicy({ backend: "iptables", allowFrom: ["192.0.2.0/24"] }), owner: "me" };
  const request = { ...update, formerPolicies: [policy], undoAfterSeconds: 60 };
  const before = (await host.run(["iptables-save"])).stdout.replace(/\[.*\]|^#.*/gm, "");
  for (const state of [["enable"], ["disable"], ["start"]]) {
    await host.run(["systemctl", ...state, "firewalld.service"]);
    if (state[0] === "disable") continue;
    await expect(changeHost(request, await deployTo(lab, host))).rejects.toMatchObject({
      code: "HOST_UNFIT",
      message: expect.stringMatching(
        /firewalld empties iptables' tables at each reload.*Nothing was changed/,
      ),
    });
  }
  expect((await host.run(["iptables-save"])).stdout.replace(/\[.*\]|^#.*/gm, "")).toBe(before);
  await changeHost({ ...request, policy: oldPolicy }, await deployTo(lab, host));
  expect((await host.run(["iptables-save"])).stdout).not.toContain("kg_");
  expect(await isLetIn("outside", host, oldSteps)).toBe(true);
});
