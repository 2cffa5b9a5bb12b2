import { describe, expect, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { changeHost } from "../../../src/change/change";
import { deployTo, waitUntil } from "../host/deployment";
import { confirmedFiles, isLetIn, listGate } from "../host/inspection";
import { newPolicy, oldPolicy, oldSteps } from "../host/policies";
import { interfere } from "../host/routes";
import { findBooted, gateBooted, isDeep, test } from "./booted";
import { listEverything, listLibrary } from "./listing";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...first, policy: newPolicy, formerPolicies: [oldPolicy] };
const unit = "knockgate-edge.service";

vi.setConfig({ maxConcurrency: 4 });

describe.concurrent("a host with systemd", () => {
  const makeReadOnly = (host: BootedHost, folder: string) =>
    host.run(["sh", "-c", `mount --bind ${folder} ${folder} && mount -o remount,bind,ro ${folder}`]);

  test.for(["/etc", "/etc/systemd/system", "/var/lib"])(
    "whose %s is read-only is refused before anything is touched",
    async (folder, { lab }) => {
      const host = findBooted(lab);
      await makeReadOnly(host, folder);
      const look = async () => [await listEverything(host, ["/etc", "/var/lib"]), await host.ruleset()];
      const before = await look();
      const place = folder === "/var/lib" ? folder : "/etc/systemd/system";
      const failure: Error = await changeHost(first, await deployTo(lab, host)).catch((error) => error);
      expect(failure).toMatchObject({ code: "HOST_UNFIT" });
      expect(failure.message).toContain(`${place} can't be written: is it mounted read-only?`);
      expect(failure.message).toContain("Nothing was changed on the host.");
      expect(await look()).toEqual(before);
    },
  );

  test("whose /etc becomes read-only during a change gets its old ruleset back", async ({ lab }) => {
    const [host, old] = await gateBooted(lab);
    const wrap = interfere({ after: { load: () => makeReadOnly(host, "/etc") } });
    await expect(changeHost(update, await deployTo(lab, host, wrap))).rejects.toMatchObject({
      code: "NOT_CONFIRMED",
      message: expect.stringMatching(/loads the ruleset at boot could not be written.* has put back what/s),
    });
    expect(await listGate(host)).toBe(old);
    expect(await listLibrary(host)).toEqual(
      [...confirmedFiles, "f 0600 /var/lib/knockgate/edge/undone"].sort(),
    );
  });

  test("that can't load its ruleset at boot says so without a secret, and boots nevertheless", async ({
    lab,
  }) => {
    const [host, old] = await gateBooted(lab);
    const ruleset = "/var/lib/knockgate/edge/confirmed";
    // The state after an upgrade that removed something which the ruleset needs.
    await host.run([
      "sed",
      "-i",
      "--follow-symlinks",
      "s/ct state/ct nonsense/; s/dport 47001/dport 47001 nonsense/",
      ruleset,
    ]);
    await host.reboot({ how: "power" });
    expect(await listGate(host)).toBe("");
    expect((await host.run(["systemctl", "is-failed", unit])).stdout).toBe("failed\n");
    const journal = async () => (await host.run(["journalctl", "--no-pager", "-u", unit])).stdout;
    await waitUntil("a line in the journal", 5_000, async () => (await journal()).includes("may be OPEN"));
    expect(await journal()).toContain("the gate of policy edge may be OPEN");
    expect(await journal()).not.toMatch(/47001|58002|39003/);
    const context = await deployTo(lab, host);
    await changeHost({ ...first, formerPolicies: [oldPolicy] }, context);
    expect(await listGate(host)).toBe(old);
    await host.reboot({ how: "power" });
    expect(await listGate(host)).toBe(old);
  });

  if (isDeep) {
    test("whose nft is missing says so at boot, and loads the ruleset when nft is back", async ({ lab }) => {
      const [host, old] = await gateBooted(lab);
      await host.run(["mv", "/usr/sbin/nft", "/usr/sbin/nft.away"]);
      await host.reboot({ how: "clean" });
      const { stdout } = await host.run(["journalctl", "--no-pager", "-u", unit]);
      expect(stdout).toMatch(/the gate of policy edge may be OPEN: .*nft: not found/);
      await host.run(["mv", "/usr/sbin/nft.away", "/usr/sbin/nft"]);
      await host.run(["systemctl", "restart", unit]);
      expect(await listGate(host)).toBe(old);
      expect(await isLetIn("outside", host)).toBe(false);
      expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    });
  }
});
