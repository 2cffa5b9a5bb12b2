import { once } from "node:events";
import { createServer, connect as dialTcp } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { connectionThrough } from "../host/bastions";
import { claimHost, connectionTo, openDeployment } from "../host/deployment";
import { listFiles } from "../host/inspection";
import { makePolicy } from "../host/policies";
import { reconfigureSshd } from "../host/sshd";
import { recordResult } from "./row";
import {
  bannerRow,
  bastionRow,
  fullRow,
  linesRow,
  penaltyRow,
  type SshdCase,
  shutOutRow,
  sshdCases,
  sshdRow,
} from "./sshd-rows";
import { playLife } from "./unbooted-life";
import { askVersions } from "./versions";

const main = join(__dirname, "..", "..", "..", "dist", "cli", "main.js");

vi.setConfig({ maxConcurrency: 3, testTimeout: 300_000 });

const askTools = (host: LabHost) => askVersions(host, ["sshd -V", "nft --version"]);

const banner = (bytes: number) => "Unauthorized use of this system is prohibited.\n".repeat(bytes / 47);

async function configure(host: LabHost, { settings, replaced = [] }: SshdCase): Promise<void> {
  for (const line of replaced) {
    const [word = ""] = line.split(" ");
    await host.run(["sed", "-i", `s/^${word} .*/${line}/`, "/etc/ssh/sshd_config"]);
  }
  await host.run(["sh", "-c", "cat >/etc/ssh/banner"], {
    stdin: banner(30_000),
  });
  await reconfigureSshd(host, settings);
}

describe.concurrent.each(["systemd", "trixie"] as const)("sshd of the suite %s", (suite) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: sshdCases.length, clients: 2, suite });
  });
  afterAll(() => lab?.close());

  test.each(sshdCases)("$act", async (one) => {
    const host = claimHost(lab);
    await configure(host, one);
    // One more try, as everybody has by default: the one login that may be in progress may be a stranger's.
    const deploy = () => openDeployment(connectionTo(lab, host, { dialErrorLimit: 3 }));
    const lines = await playLife(lab, host, "nftables", deploy);
    expect(lines).not.toContain("hung up");
    recordResult(sshdRow(suite, one), {
      versions: await askTools(host),
      result: "All of it went as with the defaults, and no login of the deployer was refused",
    });
  });
});

describe.concurrent.each(["trixie", "sid"] as const)("sshd with penalties, of the suite %s", (suite) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 1, clients: 2, suite });
  });
  afterAll(() => lab?.close());

  test("never shuts the deployer out", async () => {
    const host = claimHost(lab);
    await reconfigureSshd(host, ["PerSourcePenalties noauth:60s authfail:60s min:1s"]);
    await playLife(lab, host, "nftables");
    const penalties = host.sshdLog().match(/.*penalty.*/gi) ?? [];
    expect(penalties.filter((line) => line.includes(lab.outside.ipv4))).toEqual([]);
    // The setting does something: the client, which knocks and never logs in, was shut out.
    const [client] = lab.clients;
    expect(penalties.join("\n")).toContain(client?.ipv4);
    recordResult(penaltyRow(suite), {
      versions: await askTools(host),
      result:
        "The deployer got no penalty: neither its proofs, nor the failed one, nor the undo connect without logging in. A client that only connects was shut out",
    });
  });
});

describe("sshd of Debian 13", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 6, suite: "trixie" });
  });
  afterAll(() => lab?.close());

  test("that forwards nothing is named as the reason, as a bastion", async () => {
    const [bastion, host] = [claimHost(lab), claimHost(lab)];
    await reconfigureSshd(bastion, ["AllowTcpForwarding no"]);
    const before = [await host.ruleset(), await listFiles(host)];
    const change = async () => {
      const context = await openDeployment(connectionThrough(lab, bastion, host));
      await changeHost({ policy: makePolicy(), owner: "me", undoAfterSeconds: 60 }, context).finally(() =>
        context.close(),
      );
    };
    await expect(change()).rejects.toMatchObject({
      code: "HOST_UNFIT",
      message: expect.stringMatching(
        /it does not permit forwarding to \S+ port 22.*AllowTcpForwarding.*Nothing was changed on the host/s,
      ),
    });
    expect([await host.ruleset(), await listFiles(host)]).toEqual(before);
    recordResult(bastionRow, {
      versions: await askTools(bastion),
      result:
        "Refused (`HOST_UNFIT`) before anything is changed: the message names the bastion and the setting",
    });
  });

  test("that shuts this machine out is named as the reason", async () => {
    const host = claimHost(lab);
    await reconfigureSshd(host, ["PerSourcePenalties noauth:60s min:1s"]);
    expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
    await expect.poll(() => host.sshdLog(), { timeout: 30_000 }).toContain("penalty");
    const change = async () =>
      changeHost(
        { policy: makePolicy(), owner: "me", undoAfterSeconds: 60 },
        await openDeployment(connectionTo(lab, host)),
      );
    await expect(change()).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringMatching(
        /hung up before its SSH banner: Not allowed at this time.*PerSourcePenalties.*Nothing was changed on the host/s,
      ),
    });
    recordResult(shutOutRow, {
      versions: await askTools(host),
      result:
        "`UNREACHABLE`, with sshd's own line and the setting; nothing is changed, and no try makes it worse",
    });
  });

  test("that has no free place is tried again, and named when it stays so", async () => {
    const host = claimHost(lab);
    await host.run(["sed", "-i", "s/^MaxStartups .*/MaxStartups 1/", "/etc/ssh/sshd_config"]);
    await reconfigureSshd(host, []);
    const stranger = dialTcp({ host: host.ipv4, port: 22 });
    await once(stranger, "data");
    const lines: string[] = [];
    const change = async (dialErrorLimit: number) => {
      const context = await openDeployment(connectionTo(lab, host, { dialErrorLimit }));
      const dialing = { ...context.dialing, log: (line: string) => lines.push(line) };
      await changeHost({ policy: makePolicy(), owner: "me", undoAfterSeconds: 60 }, { ...context, dialing });
    };
    await expect(change(0)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringMatching(
        /hung up before its SSH banner.*MaxStartups.*Nothing was changed on the host/s,
      ),
    });
    const trying = change(10);
    await expect.poll(() => lines.join(), { timeout: 60_000 }).toContain("MaxStartups");
    stranger.destroy();
    await trying;
    recordResult(fullRow, {
      versions: await askTools(host),
      result:
        "Tried again until the place was free, as often as `dialErrorLimit` allows; then `UNREACHABLE`, which names `MaxStartups`",
    });
  });

  test("is told of a banner that is too long", async () => {
    const host = claimHost(lab);
    await host.run(["sh", "-c", "cat >/etc/ssh/banner"], { stdin: banner(60_000) });
    await reconfigureSshd(host, ["Banner /etc/ssh/banner"]);
    const context = await openDeployment(connectionTo(lab, host));
    await expect(
      changeHost({ policy: makePolicy(), owner: "me", undoAfterSeconds: 60 }, context),
    ).rejects.toMatchObject({
      code: "HOST_UNFIT",
      message: expect.stringMatching(/`Banner` of more than 34,000 bytes.*Nothing was changed on the host/),
    });
    recordResult(bannerRow, {
      versions: await askTools(host),
      result: "Refused (`HOST_UNFIT`): the message names the setting and the limit of 34,000 bytes",
    });
  });

  test("behind something that writes 600 lines first", async () => {
    const host = claimHost(lab);
    const lines = "All activity on this system is recorded.\r\n".repeat(600);
    const server = createServer((socket) => {
      const inner = dialTcp({ host: host.ipv4, port: 22 });
      for (const end of [socket, inner]) end.on("error", () => undefined);
      socket.write(lines);
      inner.pipe(socket);
      socket.pipe(inner);
    });
    await new Promise<void>((resolve) => server.listen(22, "127.0.0.1", resolve));
    try {
      const there = { host: "127.0.0.1", port: 22 };
      const input = connectionTo(lab, host, there);
      const web = {
        name: "web",
        protect: [{ tcp: "8080" }],
        knock: { steps: [{ tcp: 61_001 }, { tcp: 51_002 }] },
      };
      const policy = makePolicy({ gates: [web], allowFrom: [lab.outside.ipv4] });
      await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await openDeployment(input));
      await removeFromHost(policy, "me", await openDeployment(input));
      const proxy = [process.execPath, main, "proxy", there.host, `${there.port}`, "-s", "tcp:1"].join(" ");
      const said = await runCommand(["sh", "-c", `{ printf 'SSH-2.0-x\\r\\n'; sleep 10; } | ${proxy}`], {
        check: false,
      });
      expect(said.stdout.slice(lines.length)).toMatch(/^SSH-2\.0-OpenSSH/);
      expect(said.stderr).toBe("");
      expect(said.code).toBe(0);
    } finally {
      server.close();
    }
    recordResult(linesRow, { versions: await askTools(host), result: "Both work; the lines are skipped" });
  });
});
