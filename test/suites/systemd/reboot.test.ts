import { describe, expect, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { changeHost } from "../../../src/change/change";
import { deployTo, waitUntil } from "../host/deployment";
import { confirmedFiles, isLetIn, listFiles, listGate } from "../host/inspection";
import { leavePending } from "../host/pending";
import { newPolicy, newSteps, oldPolicy, oldSteps } from "../host/policies";
import { interfere } from "../host/routes";
import { dropIn, findBooted, gateBooted, isDeep, test, watchSsh } from "./booted";
import { listLibrary } from "./listing";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...first, policy: newPolicy, formerPolicies: [oldPolicy] };
const unit = "knockgate-edge.service";

vi.setConfig({ maxConcurrency: 4 });

describe.concurrent("a host with systemd that reboots", () => {
  test.for(["clean", "power"] as const)(
    "has its gate before anything answers from outside (%s)",
    async (how, { lab }) => {
      const [host, old] = await gateBooted(lab);
      // In this time a part of the network that does not wait for the gate would be seen.
      await dropIn(host, unit, "[Service]\nExecStartPre=/bin/sleep 2\n");
      expect(await isLetIn("outside", host, oldSteps)).toBe(true);
      await closeDoor(host);
      const watch = watchSsh("outside", host);
      await host.reboot({ how });
      const dropped = ["nft", "list", "counter", "inet", "knockgate_edge", "ssh_dropped"];
      await waitUntil("a packet that the gate dropped", 10_000, async () => {
        return !(await host.run(dropped)).stdout.includes("packets 0");
      });
      const { silent = 0, unreachable: _, ...answers } = await watch.stop();
      expect(answers).toEqual({});
      expect(silent).toBeGreaterThan(20);
      expect(await listGate(host)).toBe(old);
      expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    },
  );

  test("has its gate before sshd runs, even where the network is up from the start", async ({ lab }) => {
    const [host, old] = await gateBooted(lab);
    await dropIn(host, unit, "[Service]\nExecStartPre=/bin/sleep 2\n");
    const gateway = host.ipv4.replace(/\d+$/, "1");
    const commands = [
      "ip link set eth0 up",
      `ip address add ${host.ipv4}/24 dev eth0`,
      `ip address add ${host.ipv6}/64 dev eth0 nodad`,
      `ip route add default via ${gateway}`,
    ];
    // The network as an initramfs or a hypervisor's agent leaves it: no service orders sshd after it.
    const early = `[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh -c '${commands.join("; ")}'
[Install]
WantedBy=sysinit.target
`;
    const install = "cat >/etc/systemd/system/early.service && systemctl enable early.service";
    await host.run(["sh", "-c", `${install} && systemctl disable systemd-networkd.service`], {
      stdin: early,
    });
    await closeDoor(host);
    const watch = watchSsh("outside", host);
    await host.reboot({ how: "power" });
    const { open = 0, refused = 0 } = await watch.stop();
    expect(open).toBe(0);
    expect(refused).toBeGreaterThan(0);
    expect(await listGate(host)).toBe(old);
  });

  describe.each(["clean", "power"] as const)("in the middle of a change (%s)", (how) => {
    test("that is loaded ends in the old ruleset, and the next change ends well", async ({ lab }) => {
      const [host, old] = await gateBooted(lab);
      await leavePending(newPolicy, oldPolicy, 600, await deployTo(lab, host));
      expect(await listGate(host)).not.toBe(old);
      await host.reboot({ how });
      expect(await listGate(host)).toBe(old);
      expect(await isLetIn("outside", host, oldSteps)).toBe(true);
      const context = await deployTo(lab, host);
      await changeHost(update, context);
      expect(context.lines[0]).toContain("undone: the host was rebooted before it was confirmed");
      expect(await isLetIn("outside", host, newSteps)).toBe(true);
      expect(await listLibrary(host)).toEqual(confirmedFiles);
    });

    if (isDeep) {
      test("that is armed ends in the old ruleset, and the deployer is told so", async ({ lab }) => {
        const [host, old] = await gateBooted(lab);
        const wrap = interfere({ after: { arm: () => host.reboot({ how }) } });
        await expect(changeHost(update, await deployTo(lab, host, wrap))).rejects.toMatchObject({
          message: expect.stringMatching(/HOST_FAILED|NOT_CONFIRMED|UNREACHABLE/),
        });
        expect(await listGate(host)).toBe(old);
        expect(await isLetIn("outside", host, oldSteps)).toBe(true);
      });
    }

    if (isDeep) {
      test("that is the first one leaves the host as it was", async ({ lab }) => {
        const host = findBooted(lab);
        await leavePending(newPolicy, undefined, 600, await deployTo(lab, host));
        expect(await isLetIn("outside", host)).toBe(false);
        await host.reboot({ how });
        expect(await host.ruleset()).toBe("");
        expect(await isLetIn("outside", host)).toBe(true);
        await changeHost(first, await deployTo(lab, host));
        expect(await listLibrary(host)).toEqual(confirmedFiles);
      });
    }
  });

  test("right after confirm has the new ruleset", async ({ lab }) => {
    const [host] = await gateBooted(lab);
    await changeHost(update, await deployTo(lab, host));
    const gate = await listGate(host);
    await host.reboot({ how: "power" });
    // Loaded afresh, the kernel lists the sets in another order.
    await waitUntil("the gate", 10_000, async () => (await listGate(host)) !== "");
    expect((await listGate(host)).length).toBe(gate.length);
    expect(await isLetIn("outside", host)).toBe(false);
    expect(await isLetIn("outside", host, newSteps)).toBe(true);
    expect((await listFiles(host)).filter((file) => file.includes("pending"))).toEqual([]);
  });
});

/** Closes the door that the deployer opened for itself. */
async function closeDoor(host: BootedHost): Promise<void> {
  await host.run(["nft", "flush", "set", "inet", "knockgate_edge", "ssh_open_v4"]);
}
