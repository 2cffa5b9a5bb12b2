import { describe, expect, vi } from "vitest";
import { waitUntil } from "../host/deployment";
import { oldPolicy } from "../host/policies";
import {
  command,
  declareTokens,
  deploy,
  horizonSlots,
  listSlots,
  observe,
  range,
  sendSlot,
  spend,
} from "../host/token-host";
import { findBooted, test } from "./booted";

const policy = declareTokens();
const fill = "knockgate-edge.fill";

vi.setConfig({ maxConcurrency: 2 });

describe.concurrent("on a host with systemd", () => {
  test("a timer fills the sets, and goes with the tokens", async ({ lab }) => {
    const host = findBooted(lab);
    await deploy(host, policy);
    const show = ["systemctl", "show", `${fill}.timer`, "--property=ActiveState,UnitFileState,Persistent"];
    expect((await host.run(show)).stdout.split("\n").sort()).toEqual(
      ["", "ActiveState=active", "Persistent=yes", "UnitFileState=enabled"].sort(),
    );
    const verified = await host.run(["systemd-analyze", "verify", `/etc/systemd/system/${fill}.timer`], {
      check: false,
    });
    expect(verified.stderr).not.toContain("knockgate");
    // A boot of the host may be slow, and its clock may stand just before the end of a slot.
    const [first = 0] = await listSlots(host, policy);
    await spend(host, policy, first + 2);
    await host.run(["systemctl", "start", `${fill}.service`]);
    expect(await listSlots(host, policy)).not.toContain(first + 2);
    await deploy(host, oldPolicy);
    const units = ["systemctl", "list-unit-files", "--no-legend", `${fill}.*`];
    expect((await host.run(units, { check: false })).stdout).toBe("");
    await deploy(host, policy);
    await command(host, ["remove", "edge", "me", "nftables"]);
    expect((await host.run(units, { check: false })).stdout).toBe("");
    const left = await host.run(["find", "/etc", "/run", "/var/lib", "-name", "*knockgate*"]);
    expect(
      left.stdout.split("\n").filter((path) => path !== "" && !path.startsWith("/var/lib/knockgate")),
    ).toEqual([]);
  });

  test.for([
    ["disabled", `systemctl disable ${fill}.timer`],
    ["stopped", `systemctl stop ${fill}.timer`],
    ["without its service", `rm /etc/systemd/system/${fill}.service`],
    [
      "removed",
      `systemctl stop ${fill}.timer; rm /etc/systemd/system/${fill}.timer; systemctl daemon-reload`,
    ],
  ])("a timer that is %s is seen, and the next change brings it back", async ([, act = ""], { lab }) => {
    const host = findBooted(lab);
    await deploy(host, policy);
    await waitUntil(
      "the timer",
      5_000,
      async () => (await observe(host, policy)).isFillMissing === undefined,
    );
    await host.run(["sh", "-c", act]);
    expect((await observe(host, policy)).isFillMissing).toBe(true);
    await deploy(host, policy);
    await waitUntil(
      "the timer",
      5_000,
      async () => (await observe(host, policy)).isFillMissing === undefined,
    );
    const { stdout } = await host.run(["systemctl", "is-active", `${fill}.timer`]);
    expect(stdout).toBe("active\n");
  });

  test("the journal answers in the form that the host script reads", async ({ lab }) => {
    const host = findBooted(lab);
    await deploy(host, declareTokens({ log: { events: ["opened"] } }));
    // No kernel's line reaches the journal of such a host. Those of systemd have the same form.
    const words = ["--quiet", "--no-pager", "--reverse", "--lines=3", "--output=short-unix"];
    const { stdout } = await host.run(["journalctl", ...words, "_TRANSPORT=journal"]);
    const times = stdout.split("\n").flatMap((line) => /^(\d{10})\.\d{6} \S+ \S+: /.exec(line)?.[1] ?? []);
    expect(times).toHaveLength(3);
    expect(times).toEqual([...times].sort().reverse());
    const { stdout: said } = await command(host, ["openings", "edge"]);
    expect(said).toMatch(/^(booted=\d+\n)?log=(journal|kernel|none)\n== openings\n.*end=openings\n$/s);
  });

  test("a spent token opens nothing after the power is cut, and the host begins behind it", async ({
    lab,
  }) => {
    const host = findBooted(lab);
    await deploy(host, policy);
    const [first = 0] = await listSlots(host, policy);
    await spend(host, policy, first + 2);
    await host.reboot({ how: "power" });
    const slots = await listSlots(host, policy);
    expect(slots).toEqual(range(first + horizonSlots + 1, first + 2 * horizonSlots + 1));
    await sendSlot(host, policy, first + 2);
    const open = await host.run(["nft", "list", "set", "inet", "knockgate_edge", "ssh_open_v4"]);
    expect(open.stdout).not.toContain("expires");
    await spend(host, policy, first + horizonSlots + 1);
  });

  test("a clean reboot and a restart of nftables keep what is unspent", async ({ lab }) => {
    const host = findBooted(lab);
    await deploy(host, policy);
    const [first = 0] = await listSlots(host, policy);
    await spend(host, policy, first + 2);
    // The first slot may end meanwhile, and another one begin.
    const list = async () => {
      const slots = await listSlots(host, policy);
      return slots.filter((slot) => slot > first && slot <= first + horizonSlots);
    };
    const left = await list();
    await host.reboot({ how: "clean" });
    expect(await list()).toEqual(left);
    await host.run(["systemctl", "restart", "nftables.service"]);
    await waitUntil("the gate is back", 20_000, async () => {
      const listing = await host.run(["nft", "list", "tables"]);
      return listing.stdout.includes("table inet knockgate_edge\n");
    });
    expect(await list()).toEqual(left);
  });
});
