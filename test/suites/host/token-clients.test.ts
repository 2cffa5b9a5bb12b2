// ssh by the output sshConfig, at gates that tokens open.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CommandResult } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { writeSshConfig } from "../../../src/knock/clients/ssh-config";
import { readSshEndpoint } from "../../../src/knock/clients/ssh-endpoint";
import { connectionTo, waitUntil } from "./deployment";
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

const policy = declareTokens();

let lab: Lab;
let client: LabHost;
beforeAll(async () => {
  lab = await openLab({ hosts: 3 });
  client = await claimClient(lab);
});
afterAll(() => lab?.close());

/** A gated host, and a client that has its block of ssh_config. Returns the current slot, too. */
async function makeGated(): Promise<readonly [LabHost, number]> {
  const [host, now] = await claimClocked(lab);
  await deploy(host, policy);
  const way = readSshEndpoint({ ...connectionTo(lab, host), host: tokenHost, user: "plain" });
  await client.run(["sh", "-c", "cat >/etc/hosts"], { stdin: `${host.ipv4} ${tokenHost}\n` });
  await client.run(["sh", "-c", "cat >/root/.ssh/edge"], { stdin: writeSshConfig("edge", way, policy) });
  return [host, now];
}

/** Lets the client forget what it has used, and gives it a clock so many slots ahead of the host's. */
async function resetClient(host: LabHost, slotsAhead: number): Promise<void> {
  await client.run(["rm", "-rf", "/root/.config/knockgate"]);
  await setClock(client, 0);
  const behind = (await readClock(host)) - (await readClock(client));
  await setClock(client, behind + slotsAhead * slotSeconds);
  await waitUntil("the door is closed", 10_000, async () => {
    return (await tryConnect(client, host.ipv4, 22, 700)) === "silent";
  });
}

/** Runs a command on the host by the machine's own ssh. */
function ssh(environment: readonly string[] = []): Promise<CommandResult> {
  const command = ["ssh", "-F", "/root/.ssh/edge", "edge", "id -un"];
  return client.run(["env", ...byClock, ...environment, ...command], { check: false, timeoutMs: limitMs });
}

const passed = expect.objectContaining({ code: 0, stdout: "plain\n" });

/** The slots whose tokens were spent while something was done, counted from the current one. */
async function listSpent(host: LabHost, now: number, act: () => Promise<void>): Promise<readonly number[]> {
  const before = await listSlots(host, policy);
  await act();
  const after = await listSlots(host, policy);
  return before.filter((slot) => !after.includes(slot)).map((slot) => slot - now);
}

test("connections at once take a token each, and none is tried twice", async () => {
  const [host, now] = await makeGated();
  await resetClient(host, 0);
  const spent = await listSpent(host, now, async () => {
    expect(await Promise.all(range(1, 5).map(() => ssh()))).toEqual(Array(5).fill(passed));
  });
  expect(spent).toEqual([0, 1, 2, 3, 4]);
  const { stdout } = await client.run(["sh", "-c", "ls /root/.config/knockgate/used-slots/*"]);
  expect(stdout).toBe(
    range(now, now + 4)
      .map((slot) => `${slot}\n`)
      .join(""),
  );
});

describe("at a host that holds 25 slots", () => {
  let host: LabHost;
  let now: number;
  beforeAll(async () => {
    [host, now] = await makeGated();
  });

  test.each([
    ["one slot behind gets in by the second token", -1, [0]],
    // Beyond the horizon as that client sees it: the host still holds it.
    ["two slots behind gets in by the third token", -2, [23]],
    ["three slots ahead gets in by the first token", 3, [3]],
  ])("a client whose clock is %s", async (_what, ahead, slots) => {
    await resetClient(host, ahead);
    const spent = await listSpent(host, now, async () => expect(await ssh()).toEqual(passed));
    expect(spent).toEqual(slots);
  });

  test.each([
    ["ahead of all that it holds", 30],
    ["behind by more than three horizons", -80],
  ])("a client whose clock is %s is told so at an end, and spends nothing", async (_what, ahead) => {
    await resetClient(host, ahead);
    const spent = await listSpent(host, now, async () => {
      const { code, stderr } = await ssh();
      expect([code, stderr]).toEqual([255, expect.stringContaining("no token opened the port")]);
    });
    expect(spent).toEqual([]);
  });

  test("a client without the list of the first one meets a silent port, and tries the next slot", async () => {
    await resetClient(host, 5);
    const spent = await listSpent(host, now, async () => {
      expect(await ssh()).toEqual(passed);
      await waitUntil("the door is closed", 10_000, async () => {
        return (await tryConnect(client, host.ipv4, 22, 700)) === "silent";
      });
      const other = ["HOME=/root/other", "KNOCKGATE_SSH_CONFIG=/root/.ssh/edge"];
      expect(await ssh(other)).toEqual(passed);
    });
    expect(spent).toEqual([5, 6]);
    const { stdout } = await client.run(["sh", "-c", "ls /root/other/.config/knockgate/used-slots/*"]);
    expect(stdout).toBe(`${now + 5}\n${now + 6}\n`);
  });
});
