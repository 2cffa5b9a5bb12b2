import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { lookForLife } from "../../../src/change/prove/alive";
import { claimHost, connectionTo, openDeployment } from "./deployment";

const main = join(__dirname, "..", "..", "..", "dist", "cli", "main.js");
const secrets = /47001|58002|39003|41101|52102|33104|PRIVATE KEY/;
const gates = {
  ssh: [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }],
  web: [{ tcp: 41_101 }, { udp: 52_102 }, { tcp: 33_104 }],
};

let lab: Lab;
const file = (name: string) => join(lab.directory, name);

beforeAll(async () => {
  lab = await openLab({ hosts: 3 });
  writeFileSync(file("key"), lab.privateKey, { mode: 0o600 });
  for (const [name, steps] of Object.entries(gates)) {
    const protect = [{ tcp: name === "ssh" ? "22" : "8443" }];
    const policy = { name, gates: [{ name, protect, knock: { steps }, openForSeconds: 1 }] };
    writeFileSync(file(`${name}.json`), JSON.stringify({ ...policy, acceptRisks: ["window-too-short"] }));
  }
});
afterAll(() => lab?.close());

/**
 * Waits until the doors that earlier calls opened for this machine are closed. Checks that the output holds no secret.
 */
async function knockgate(host: LabHost, words: readonly string[]) {
  await expect.poll(() => tryConnect("outside", host.ipv4, 22, 400), { timeout: 10_000 }).toBe("silent");
  return knockgateNow(words);
}

async function knockgateNow(words: readonly string[]) {
  const home = [`HOME=${lab.directory}`, `XDG_CONFIG_HOME=${lab.directory}`, "SSH_AUTH_SOCK="];
  const done = await runCommand(["env", ...home, process.execPath, main, ...words], { check: false });
  expect(done.stdout + done.stderr).not.toMatch(secrets);
  return done;
}

function writeConnection(host: LabHost): string {
  const path = file(`${host.ipv4}.json`);
  writeFileSync(path, JSON.stringify(connectionTo(lab, host, { perDialTimeout: 2 })), { mode: 0o600 });
  chmodSync(path, 0o600);
  return path;
}

const throughSsh = "gate ssh of another policy lets a fresh SSH connection through after its knock";

describe("a policy on a host whose SSH is behind another policy's gate", () => {
  test("is applied, looked at and removed with --behind, and without it the error names the option", async () => {
    const host = claimHost(lab);
    const connection = ["--connection", writeConnection(host)];
    const behind = [...connection, "--behind", file("ssh.json")];
    expect((await knockgateNow(["apply", file("ssh.json"), ...connection])).code).toBe(0);
    const untold = await knockgate(host, ["apply", file("web.json"), ...connection]);
    expect([untold.code, untold.stderr]).toEqual([
      3,
      expect.stringContaining("(on the command line: `--behind`)"),
    ]);
    const applied = await knockgate(host, ["apply", file("web.json"), ...behind]);
    expect([applied.code, applied.stderr]).toEqual([0, expect.stringContaining(throughSsh)]);
    expect((await knockgate(host, ["status", file("web.json"), ...behind])).code).toBe(0);
    expect((await knockgate(host, ["remove", file("web.json"), ...behind])).code).toBe(0);
    expect((await host.run(["nft", "list", "tables"])).stdout).toBe("table inet knockgate_ssh\n");
  });

  test("needs no --behind when a profile knows that gate, and the profile keeps that gate", async () => {
    const host = claimHost(lab);
    const connection = ["--connection", writeConnection(host)];
    expect((await knockgateNow(["apply", file("ssh.json"), ...connection, "--profile", "edge"])).code).toBe(
      0,
    );
    const edge = ["edge", "-i", file("key")];
    const applied = await knockgate(host, ["apply", file("web.json"), ...edge]);
    expect([applied.code, applied.stderr]).toEqual([0, expect.stringContaining(throughSsh)]);
    expect((await knockgate(host, ["status", file("ssh.json"), ...edge])).code).toBe(0);
    expect((await knockgate(host, ["remove", file("web.json"), ...edge])).code).toBe(0);
  });
});

describe("what answers at a host", () => {
  test("is its ports, else a ping, else nothing", async () => {
    const host = claimHost(lab);
    const { routes } = await openDeployment(connectionTo(lab, host));
    const name = `${host.ipv4}:22`;
    expect(await lookForLife(routes, 22)).toEqual({ answer: `${name}: TCP port 22 is open` });
    expect(await lookForLife(routes, 2_222)).toEqual({ answer: `${name}: TCP port 2222 is refused` });
    const tcp = await lab.swallow({ to: host, protocol: "tcp" });
    expect(await lookForLife(routes, 22)).toEqual({ answer: `${name}: it answers a ping` });
    const all = await lab.swallow({ to: host, protocol: "any" });
    expect(await lookForLife(routes, 22)).toEqual({ answer: undefined });
    await Promise.all([tcp.restore(), all.restore()]);
  });
});
