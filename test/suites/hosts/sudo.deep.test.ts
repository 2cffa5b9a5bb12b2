import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { claimHost, connectionTo, openDeployment } from "../host/deployment";
import { addUser } from "../host/users";
import { recordResult } from "./row";
import { rootSuites } from "./sudo-rows";
import { playLife } from "./unbooted-life";
import { askVersions } from "./versions";

const password = "Sesame-4711-word";
/** A port of a step in playLife, as rulesets have it. */
const secretStep = "47001";

vi.setConfig({ maxConcurrency: 3, testTimeout: 300_000 });

describe.concurrent.each(rootSuites)("a user who is not root on $suite", ({ suite, cases }) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: cases.length, clients: 2, suite });
  });
  afterAll(() => lab?.close());

  test.each(cases)("$row.act", async ({ row, sudoers, prepare = ":", refusal, result }) => {
    const host = claimHost(lab);
    await addUser(host, "keeper", { password, sudoers: `Defaults logfile=/var/log/sudo.log\n${sudoers}` });
    await host.run(["sh", "-c", prepare]);
    const input = connectionTo(lab, host, { user: "keeper", sudoPassword: password });
    const life = playLife(lab, host, "nftables", () => openDeployment(input));
    if (refusal === undefined) expect(await life).not.toContain("warning: sudo");
    else
      await expect(life).rejects.toMatchObject({
        code: "HOST_UNFIT",
        message: expect.stringMatching(refusal),
      });
    const readLogs =
      "find /var/log -type f -exec cat {} + 2>/dev/null; find /var/log/sudo-io -type f -exec zcat -f {} + 2>/dev/null; true";
    const logs = `${(await host.run(["sh", "-c", readLogs])).stdout}${host.sshdLog()}`;
    // The log that is looked through is the one that is written.
    if (suite !== "sudo-rs") expect(logs).toContain("USER=root");
    expect(logs).not.toContain(password);
    expect(logs).not.toContain(secretStep);
    const sudo = suite === "sudo-rs" ? "sudo-rs --version" : "sudo --version";
    recordResult(row, { versions: await askVersions(host, [sudo, "nft --version"]), result });
  });
});
