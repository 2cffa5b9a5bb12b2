import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { renderPolicy } from "../../../src/backends/render";
import { changeHost } from "../../../src/change/change";
import { commandProgram } from "../../../src/host/script/program";
import { digestText } from "../../../src/policy/digest";
import { claimHost, deployTo, waitUntil } from "./deployment";
import { confirmedFiles, listFiles, listGate, waitForNoTimer } from "./inspection";
import { leavePending } from "./pending";
import { newPolicy, oldPolicy } from "./policies";
import { writeProgram } from "./write-program";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["dash", "busybox"] as const)("a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 8, shell });
  });
  afterAll(() => lab?.close());

  test("needs no other tools than busybox has", async () => {
    const host = claimHost(lab);
    // Debian's busybox has no flock. Usage elsewhere: `flock [-sxun] FD | { FILE [-c] PROG ARGS }` (BusyBox 1.37).
    const flock = '#!/bin/sh\ncase " $*" in *" -"[!sxun]*) exit 1 ;; esac\nexec /usr/bin/flock "$@"\n';
    await host.run(["sh", "-c", "cat >/usr/local/sbin/flock && chmod 0755 /usr/local/sbin/flock"], {
      stdin: flock,
    });
    const others =
      "setsid sha256sum readlink sync cmp sed tr grep wc cut head mv ln cp rm rmdir mkdir cat sleep chmod id sort unshare";
    const link = `for tool in ${others}; do ln -s "$(command -v busybox)" /usr/local/sbin/$tool; done`;
    await host.run(["sh", "-c", link]);
    await changeHost(first, await deployTo(lab, host));
    expect(await listFiles(host)).toEqual(confirmedFiles);
    const old = await listGate(host);
    await leavePending(newPolicy, oldPolicy, 5, await deployTo(lab, host));
    await waitUntil("the old ruleset", 20_000, async () => (await listGate(host)) === old);
    await waitForNoTimer(host);
    const boot = ["sh", "/var/lib/knockgate/edge/host.sh", "boot", "edge"];
    await host.run(["nft", "flush", "ruleset"]);
    await host.run(boot);
    expect(await listGate(host)).toBe(old);
    // The state after an upgrade of nft: the noted listing has another version's words.
    const note =
      'cd /var/lib/knockgate/edge/changes/* && for file in tool listing; do echo older >"$file"; done';
    await host.run(["sh", "-c", note]);
    const digest = digestText(renderPolicy(oldPolicy));
    const adopt = ["sh", "/var/lib/knockgate/edge/host.sh", "adopt", "edge", "another", digest];
    expect((await host.run(adopt)).stdout).toBe("owner=another\n");
  });

  test.each([
    ["from the start", "", "/var/lib"],
    ["below which there is another gate", "mkdir -p /var/lib/knockgate/other", "/var/lib/knockgate"],
  ])("whose /var/lib is read-only %s is told so before anything is changed", async (_, prepare, place) => {
    const host = claimHost(lab);
    const readOnly = `${prepare || ":"}; mount -o remount,ro /var/lib`;
    await host.run(["sh", "-c", readOnly]);
    const failure: Error = await changeHost(first, await deployTo(lab, host)).catch((error) => error);
    expect(failure).toMatchObject({ code: "HOST_UNFIT" });
    expect(failure.message).toContain(`${place} can't be written: is it mounted read-only?`);
    expect(failure.message).toContain("Nothing was changed on the host.");
    expect(await host.ruleset()).toBe("");
  });

  test("that can't load its ruleset at boot is told so without the ruleset's numbers", async () => {
    const host = claimHost(lab);
    await changeHost(first, await deployTo(lab, host));
    const broken = ["sed", "-i", "--follow-symlinks", "s/dport 47001/dport 47001 nonsense/"];
    await host.run([...broken, "/var/lib/knockgate/edge/confirmed"]);
    await host.run(["nft", "flush", "ruleset"]);
    const boot = await host.run(["sh", "/var/lib/knockgate/edge/host.sh", "boot", "edge"], { check: false });
    expect(boot.code).toBe(1);
    expect(boot.stderr).toContain("the gate of policy edge may be OPEN: its confirmed ruleset could not be");
    expect(boot.stderr).toContain("nonsense");
    expect(boot.stdout + boot.stderr).not.toMatch(/47001|58002|39003/);
  });

  test.each([
    ["setsid", /the command setsid is missing/],
    ["nft", /nft is missing: install the package nftables/],
  ])("that lacks %s is told so before anything is changed", async (tool, complaint) => {
    const host = claimHost(lab);
    const { stdout } = await host.run(["sh", "-c", `readlink -f "$(command -v ${tool})"`]);
    await host.run(["mount", "--bind", "/dev/null", stdout.trim()]);
    const failure: Error = await changeHost(first, await deployTo(lab, host)).catch((error) => error);
    expect(failure).toMatchObject({ code: "HOST_UNFIT" });
    expect(failure.message).toMatch(complaint);
    expect(failure.message).toContain("Nothing was changed on the host.");
    expect(await listFiles(host)).toEqual([]);
  });

  test("that can't note which timer it has started ends that timer", async () => {
    const host = claimHost(lab);
    await changeHost(first, await deployTo(lab, host));
    const old = await listGate(host);
    const sync = `#!/bin/sh
case $* in
*pending.new) : >/run/broken ;;
esac
[ ! -e /run/broken ] && exec /usr/bin/sync "$@"
`;
    await host.run(["sh", "-c", "cat >/usr/local/sbin/sync && chmod 0755 /usr/local/sbin/sync"], {
      stdin: sync,
    });
    const failing = changeHost(
      { ...first, policy: newPolicy, formerPolicies: [oldPolicy] },
      await deployTo(lab, host),
    );
    await expect(failing).rejects.toMatchObject({
      code: "HOST_FAILED",
      message: expect.stringContaining("arm failed: "),
    });
    expect(await listGate(host)).toBe(old);
    await waitForNoTimer(host);
  });

  test("refuses a policy's name or a change's id that could be another path", async () => {
    const host = claimHost(lab);
    await host.run(["sh", "-c", "mkdir -p /var/lib/knockgate/edge /var/lib/victim"]);
    const bad = ["", ".", "../victim", "a/b", "a b", "Edge", "$(id)", "a\nb", "-rf;", "\u00e9"];
    const programs = bad.flatMap((name) => [
      commandProgram(["remove", name, "me", "nftables"]),
      commandProgram(["undo", "edge", name, "why"]),
      commandProgram(["confirm", "edge", name]),
    ]);
    for (const program of programs) {
      const { code, stdout, stderr } = await host.run(["sh", "-s"], {
        stdin: writeProgram(program),
        check: false,
      });
      expect([code, stdout, stderr]).toEqual([
        1,
        "",
        expect.stringMatching(/^not a (policy name|change id)\n$/),
      ]);
    }
    expect(await listFiles(host)).toHaveLength(3);
  });
});
