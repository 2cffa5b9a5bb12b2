import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { claimHost, deployTo } from "./deployment";
import { listFiles } from "./inspection";
import { oldPolicy } from "./policies";

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("a host's /bin/sh", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 6 });
  });
  afterAll(() => lab?.close());

  const request = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };

  async function prepare(shell: string) {
    const host = claimHost(lab);
    await host.run(["sh", "-c", `mount --bind "$(command -v ${shell})" "$(readlink -f /bin/sh)"`]);
    return host;
  }

  test.each(["yash", "posh", "mksh", "ksh93"])(
    "that is %s is refused, and leaves no lock behind",
    async (shell) => {
      const host = await prepare(shell);
      await expect(changeHost(request, await deployTo(lab, host))).rejects.toMatchObject({
        code: "HOST_UNFIT",
        message: expect.stringMatching(
          /its \/bin\/sh differs.*Make dash, bash or busybox.*Nothing was changed on the host/,
        ),
      });
      expect((await host.run(["flock", "-n", "/var/lib", "echo", "free"])).stdout).toBe("free\n");
      expect(await listFiles(host)).toEqual([]);
    },
  );

  test.each(["bash", "zsh"])("that is %s carries a change", async (shell) => {
    await changeHost(request, await deployTo(lab, await prepare(shell)));
  });
});
