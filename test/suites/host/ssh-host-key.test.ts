import { mkdtempSync, rmSync } from "node:fs";
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { ConnectionInput } from "../../../src/ssh/connection";
import { makeKeyFile } from "./agents";
import { claimHost, connectionTo, openDeployment } from "./deployment";
import { reconfigureSshd } from "./sshd";

const kinds = [
  ["ed25519", "ssh-ed25519"],
  ["rsa", "rsa-sha2-512,rsa-sha2-256"],
  ["ecdsa", "ecdsa-sha2-nistp256"],
] as const;

/** One after the other: each needs a home of its own, but a process has only one environment. */
describe.each([22, 2_222])("a host at port %d", (sshPort) => {
  let lab: Lab;
  let home: string;
  const homeBefore = process.env["HOME"];
  beforeAll(async () => {
    lab = await openLab({ hosts: 7, sshPort });
  });
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), "knockgate-home-"));
    process.env["HOME"] = home;
    await mkdir(join(home, ".ssh"));
  });
  afterEach(() => {
    process.env["HOME"] = homeBefore ?? "";
    rmSync(home, { recursive: true });
  });
  afterAll(() => lab?.close());

  const knownHosts = () => join(home, ".ssh", "known_hosts");
  const scan = async (host: LabHost, ...options: readonly string[]) => {
    return (await runCommand(["ssh-keyscan", "-p", `${sshPort}`, ...options, host.ipv4])).stdout;
  };

  async function connect(host: LabHost, more: Partial<ConnectionInput> = {}): Promise<string> {
    const { hostKey: _none, ...connection } = connectionTo(lab, host);
    const [route] = (await openDeployment({ ...connection, ...more })).routes;
    const opened = await route?.connect(5_000);
    const result = await opened?.run({ commands: "id -un\n" }, 5_000);
    opened?.close();
    return result?.stdout.trim() ?? "";
  }

  test.each(kinds)(
    "with an %s key is known by hostKey, and by what ssh-keyscan and ssh-keygen -H write",
    async (kind, algorithms) => {
      const host = claimHost(lab);
      const file = `/etc/ssh/ssh_host_own_${kind}_key`;
      await host.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file]);
      await reconfigureSshd(host, [`HostKey ${file}`, `HostKeyAlgorithms ${algorithms}`]);
      const hostKey = (await host.run(["cat", `${file}.pub`])).stdout.trim();
      expect(await connect(host, { hostKey })).toBe("root");
      await expect(connect(host)).rejects.toMatchObject({ code: "HOST_KEY_UNKNOWN" });

      await writeFile(knownHosts(), await scan(host));
      expect(await connect(host)).toBe("root");
      await runCommand(["ssh-keygen", "-q", "-H", "-f", knownHosts()]);
      expect(await readFile(knownHosts(), "utf8")).toMatch(/^\|1\|/);
      expect(await connect(host)).toBe("root");
      await writeFile(knownHosts(), await scan(host, "-H"));
      expect(await connect(host)).toBe("root");
    },
  );

  test("with several keys is asked for the one that is known", async () => {
    const host = claimHost(lab);
    for (const [kind] of kinds) {
      await host.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", `/etc/ssh/ssh_host_own_${kind}_key`]);
    }
    await reconfigureSshd(
      host,
      kinds.map(([kind]) => `HostKey /etc/ssh/ssh_host_own_${kind}_key`),
    );
    for (const [kind] of kinds) {
      await writeFile(knownHosts(), await scan(host, "-t", kind));
      expect(await connect(host)).toBe("root");
    }
  });

  test("that shows another key than the known one gets no login", async () => {
    const [host, other] = [claimHost(lab), claimHost(lab)];
    await writeFile(knownHosts(), (await scan(other)).replaceAll(other.ipv4, host.ipv4));
    await expect(connect(host)).rejects.toMatchObject({
      code: "HOST_KEY_MISMATCH",
      message: expect.stringContaining("is not one that known_hosts expects"),
    });
    expect(host.sshdLog()).not.toContain("Accepted");
  });

  test("with a certificate is known by its plain key; an authority is not enough, and the error says so", async () => {
    const host = claimHost(lab);
    const authority = await makeKeyFile(lab.directory);
    const key = "/etc/ssh/ssh_host_ed25519_key";
    await host.run(["sh", "-c", "cat >/root/authority && chmod 600 /root/authority"], {
      stdin: await readFile(authority, "utf8"),
    });
    await host.run([
      "ssh-keygen",
      "-q",
      "-s",
      "/root/authority",
      "-I",
      "edge",
      "-h",
      "-n",
      host.ipv4,
      `${key}.pub`,
    ]);
    await reconfigureSshd(host, ["HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub"]);
    const name = sshPort === 22 ? host.ipv4 : `[${host.ipv4}]:${sshPort}`;
    await writeFile(knownHosts(), `@cert-authority ${name} ${await readFile(`${authority}.pub`, "utf8")}`);
    await expect(connect(host)).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      message: expect.stringMatching(
        /certificate authority.*need the transport `openssh`.*Set connection\.hostKey/,
      ),
    });
    const certificate = (await host.run(["cat", "/etc/ssh/ssh_host_ed25519_key-cert.pub"])).stdout;
    await expect(connect(host, { hostKey: certificate })).rejects.toMatchObject({
      code: "ARGUMENTS_INVALID",
    });
    await appendFile(knownHosts(), await scan(host));
    expect(await connect(host)).toBe("root");
  });
});
