import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { giveName } from "../../../lab/names";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { writeKnockCommands } from "../../../src/knock/clients/knock-commands";
import { writeSshConfig } from "../../../src/knock/clients/ssh-config";
import { readSshEndpoint } from "../../../src/knock/clients/ssh-endpoint";
import { readStep } from "../../../src/policy/step";
import { claimHost, connectionTo, deployTo, openDeployment } from "./deployment";
import { listGate } from "./inspection";
import { makePolicy } from "./policies";
import { reconfigureSshd } from "./sshd";

const main = join(__dirname, "..", "..", "..", "dist", "cli", "main.js");
const name = "ipv4-only.test";
// One step is UDP: a datagram gets no refusal that would lead a client to the other address.
const steps = [{ tcp: 47_001 }, { udp: 58_002, udpPayloadBytes: 9 }, { tcp: 39_003 }];
const policy = makePolicy({
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 2 }],
  acceptRisks: ["window-too-short"],
});
const words = steps.flatMap(({ tcp, udp }) => ["-s", tcp === undefined ? `udp:${udp}/9` : `tcp:${tcp}`]);

let lab: Lab;
let host: LabHost;
beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  host = claimHost(lab);
  await reconfigureSshd(host, ["AddressFamily inet"]);
  expect(await tryConnect("outside", host.ipv6, 22, 400)).toBe("refused");
  await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host));
  await giveName(name, [host.ipv6, host.ipv4]);
  writeFileSync(join(lab.directory, "key"), lab.privateKey, { mode: 0o600 });
});
afterAll(() => lab?.close());

async function expectClosed(): Promise<void> {
  await expect
    .poll(() => tryConnect("outside", host.ipv4, 22, 400), { timeout: 10_000, interval: 100 })
    .toBe("silent");
}

function knockgate(more: readonly string[]) {
  return runCommand([process.execPath, main, ...more], { check: false });
}

describe("a gated host with two addresses whose sshd listens on IPv4 only", () => {
  test("is open and listens for `knockgate knock`, which says where", async () => {
    await expectClosed();
    const { code, stdout } = await knockgate(["knock", name, ...words]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`port 22 of ${host.ipv4} answers\n$`)),
    ]);
  });

  test("is reported as not listening only if no address listens", async () => {
    const { code, stdout } = await knockgate(["knock", name, ...words, "-6"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("nothing listens there")]);
  });

  test("is reached by `knockgate proxy`", async () => {
    await expectClosed();
    const proxy = [process.execPath, main, "proxy", name, "22", ...words].join(" ");
    const { stdout } = await runCommand(["sh", "-c", `sleep 2 | ${proxy} | head -c 8`], { check: false });
    expect(stdout).toBe("SSH-2.0-");
  });

  test("is reached by ssh with the block for ssh_config", async () => {
    await expectClosed();
    const way = readSshEndpoint({ ...connectionTo(lab, host), host: name });
    writeFileSync(join(lab.directory, "config"), writeSshConfig("edge", way, policy));
    const options = [
      "-F",
      join(lab.directory, "config"),
      "-i",
      join(lab.directory, "key"),
      "-o",
      "ConnectTimeout=20",
    ];
    const { stdout, stderr } = await runCommand(["ssh", ...options, "edge", "hostname"], { check: false });
    expect([stdout, stderr]).toEqual([
      expect.stringMatching(/^host1\n/),
      expect.not.stringContaining("rror"),
    ]);
  });

  test.each(["bash", "netcat"] as const)(
    "is opened at both addresses by the command for %s",
    async (tool) => {
      await expectClosed();
      const commands = writeKnockCommands(
        steps.map(readStep),
        readSshEndpoint({ ...connectionTo(lab, host), host: name }),
      );
      await runCommand(["sh", "-c", commands[tool] ?? "false"]);
      expect(await tryConnect("outside", host.ipv4, 22, 400)).toBe("open");
    },
  );

  test("is changed by a deployer that logs in by its name", async () => {
    const context = await openDeployment({ ...connectionTo(lab, host), host: name });
    const next = makePolicy();
    await changeHost({ policy: next, formerPolicies: [policy], owner: "me", undoAfterSeconds: 60 }, context);
    expect(context.lines.join("\n")).toContain(
      `gate ssh answers on TCP port 22 of ${host.ipv6} after the knock (refused)`,
    );
    expect(await listGate(host)).not.toBe("");
  });
});
