// ssh by the script of `knockgate ssh-config --standalone`, on a machine with bash, coreutils and ssh only.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CommandResult } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { makeProfile } from "../../../src/knock/clients/profile";
import { readSshEndpoint } from "../../../src/knock/clients/ssh-endpoint";
import { writeStandalone } from "../../../src/knock/clients/standalone";
import type { Policy } from "../../../src/policy/policy";
import { claimHost, connectionTo, deployTo, waitUntil } from "./deployment";
import { makePolicy } from "./policies";
import {
  byClock,
  claimClient,
  claimClocked,
  declareTokens,
  deploy,
  listSlots,
  range,
  readClock,
  setClock,
  slotSeconds,
  tokenHost,
} from "./token-host";

/** A client that takes longer than this does not end. Nine tries of 1.2 s are the most. */
const limitMs = 30_000;

/** All programs that the client finds: neither Node nor openssl, sha256sum or getent. */
const tools = ["bash", "cat", "ls", "mkdir", "rm", "sleep", "ssh"];

let lab: Lab;
let client: LabHost;
beforeAll(async () => {
  lab = await openLab({ hosts: 3 });
  client = await claimClient(lab);
  const links = tools.map((tool) => `ln -s "$(command -v ${tool})" /root/bin/${tool}`);
  await client.run(["sh", "-ec", ["mkdir -m 0700 /root/bin", ...links].join("\n")]);
});
afterAll(() => lab?.close());

/** Writes the script on the client for a host by that name or address, and lets it write the configuration of ssh. */
async function install(host: LabHost, name: string, policy: Policy): Promise<void> {
  const way = readSshEndpoint({ ...connectionTo(lab, host), host: name, user: "plain" });
  const script = writeStandalone([makeProfile("edge", way, policy)]);
  await client.run(["sh", "-c", "umask 077; cat >/root/.ssh/knock"], { stdin: script });
  const { stderr } = await client.run(["sh", "-c", "bash /root/.ssh/knock >/root/.ssh/config"]);
  expect(stderr).toBe("");
}

async function setAddress(address: string): Promise<void> {
  await client.run(["sh", "-c", "cat >/etc/hosts"], { stdin: `${address} ${tokenHost}\n` });
}

/** Runs a command on the host by ssh(1), with no other program than those above. */
function ssh(environment: readonly string[] = [], path = "/root/bin"): Promise<CommandResult> {
  const clean = ["env", "-i", "HOME=/root", `PATH=${path}`, ...environment];
  return client.run([...clean, "ssh", "edge", "id -un"], { check: false, timeoutMs: limitMs });
}

function sshByClock(): Promise<CommandResult> {
  return ssh(byClock, "/root/bin:/usr/local/sbin");
}

const passed = expect.objectContaining({ code: 0, stdout: "plain\n" });

async function waitForSilence(address: string): Promise<void> {
  await waitUntil("the door is closed", 10_000, async () => {
    return (await tryConnect(client, address, 22, 700)) === "silent";
  });
}

describe("at a gate that tokens open", () => {
  const policy = declareTokens();
  let host: LabHost;
  let now: number;
  beforeAll(async () => {
    [host, now] = await claimClocked(lab);
    await deploy(host, policy);
    await install(host, tokenHost, policy);
  });

  /** Gives the client a clock so many slots ahead of the host's. It remembers the slots that it has used. */
  async function moveClient(slotsAhead: number): Promise<void> {
    await setClock(client, 0);
    const behind = (await readClock(host)) - (await readClock(client));
    await setClock(client, behind + slotsAhead * slotSeconds);
    await waitForSilence(host.ipv4);
  }

  /** The slots whose tokens were spent while something was done, counted from the current one. */
  async function listSpent(act: () => Promise<void>): Promise<readonly number[]> {
    const before = await listSlots(host, policy);
    await act();
    const after = await listSlots(host, policy);
    return before.filter((slot) => !after.includes(slot)).map((slot) => slot - now);
  }

  test("connections at once take a token each, over IPv4 and IPv6", async () => {
    await moveClient(0);
    const spent = await listSpent(async () => {
      for (const address of [host.ipv4, host.ipv6]) {
        await setAddress(address);
        expect(await tryConnect(client, address, 22, 700)).toBe("silent");
        expect(await Promise.all(range(1, 4).map(() => sshByClock()))).toEqual(Array(4).fill(passed));
      }
    });
    expect(spent).toEqual(range(0, 7));
  });

  test.each([
    // The first one is of a slot that is past. The next ones were used above.
    ["one slot behind gets in by its second token", -1, [8]],
    ["ten slots ahead gets in by its first token", 10, [10]],
  ])("a client whose clock is %s", async (_what, ahead, slots) => {
    await setAddress(host.ipv4);
    await moveClient(ahead);
    const spent = await listSpent(async () => expect(await sshByClock()).toEqual(passed));
    expect(spent).toEqual(slots);
  });

  test("a client whose clock is ahead of all that the host holds is told so at an end", async () => {
    await moveClient(30);
    const { code, stderr } = await sshByClock();
    expect([code, stderr]).toEqual([255, expect.stringContaining("no knock opened the port")]);
  });
});

/** Loses the first packet of a step before the gate counts it, and answers none behind the gate. */
const lossy = `table inet lossy {
  chain early {
    type filter hook prerouting priority -350
    tcp dport 47101 numgen inc mod 2 == 0 drop
  }
  chain late {
    type filter hook input priority 10
    tcp dport { 47101, 39103 } drop
  }
}
`;

describe("at a gate that a sequence opens", () => {
  const steps = [{ tcp: 47_101 }, { udp: 58_102 }, { tcp: 39_103 }];
  const policy = makePolicy({
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 4 }],
  });
  let host: LabHost;
  beforeAll(async () => {
    host = claimHost(lab);
    await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host));
  });

  test("ssh gets in over IPv4 and IPv6, and no list of processes shows a step", async () => {
    const sampler = client.spawn(["sh", "-c", "while :; do cat /proc/[0-9]*/cmdline 2>/dev/null; done"]);
    let sample = "";
    sampler.stdout.setEncoding("latin1").on("data", (text: string) => {
      sample += text;
    });
    for (const address of [host.ipv4, host.ipv6]) {
      await install(host, address, policy);
      await waitForSilence(address);
      expect(await Promise.all([ssh(), ssh()])).toEqual([passed, passed]);
    }
    sampler.kill("SIGKILL");
    expect(sample).toContain("bash\0/root/.ssh/knock\0edge\x0022");
    expect(sample).not.toMatch(/47101|58102|39103/);
  });

  test("ssh gets in though no step is answered, and though the first knock is lost", async () => {
    await install(host, host.ipv4, policy);
    await waitForSilence(host.ipv4);
    await host.run(["nft", "-f", "-"], { stdin: lossy });
    expect(await ssh()).toEqual(passed);
    await host.run(["nft", "delete", "table", "inet", "lossy"]);
  });
});
