import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { renderPolicy } from "../../../src/backends/render";
import { changeHost } from "../../../src/change/change";
import { confirmChange } from "../../../src/change/confirm";
import { reachHost } from "../../../src/change/reach";
import { removeFromHost } from "../../../src/change/remove";
import { digestText } from "../../../src/policy/digest";
import type { Errand } from "./deployer";
import { claimHost, connectionTo, type Deployment, deployTo, type Wrap, waitUntil } from "./deployment";
import { confirmedFiles, findTimers, isLetIn, listFiles, listGate, waitForNoTimer } from "./inspection";
import { leavePending } from "./pending";
import { newPolicy, newSteps, oldPolicy, oldSteps } from "./policies";
import { interfere } from "./routes";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...first, policy: newPolicy, formerPolicies: [oldPolicy] };
const shortly = { undoAfterSeconds: 15 };
const timerLimitMs = 30_000;

// All these tests wait for their hosts' timers, and hardly use this machine meanwhile.
vi.setConfig({ maxConcurrency: 30 });

describe.concurrent.each(["dash", "busybox"] as const)("on a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 14, clients: 1, shell });
  });
  afterAll(() => lab?.close());

  /** Makes a host that has the old policy, and a deployer. Returns also what is loaded. */
  async function claimGated(wrap?: (host: LabHost) => Wrap): Promise<[LabHost, string, Deployment]> {
    const host = claimHost(lab);
    await changeHost(first, await deployTo(lab, host));
    return [host, await listGate(host), await deployTo(lab, host, wrap?.(host))];
  }

  /** Checks for the old ruleset byte for byte, its knock, its files, and nothing that could change them later. */
  async function expectOld(host: LabHost, old: string): Promise<void> {
    expect(await listGate(host)).toBe(old);
    const [client] = lab.clients;
    if (client === undefined) throw new Error("no client");
    expect(await isLetIn(client, host, newSteps)).toBe(false);
    expect(await isLetIn(client, host, oldSteps)).toBe(true);
    expect(await listFiles(host)).toEqual(
      [...confirmedFiles, "f 0600 /var/lib/knockgate/edge/undone"].sort(),
    );
    await waitForNoTimer(host);
  }

  test("a knock that gets lost on its way is undone at once", async () => {
    const [host, old, context] = await claimGated();
    await lab.swallow({ to: host, protocol: "udp", port: 41_101 });
    const failure: Error = await changeHost(update, context).catch((error) => error);
    expect(failure.message).toMatch(
      /^policy edge on \S+: 5\/6 prove failed: no fresh SSH connection .* 3 knocks.* The host has put back what it had before\. .*\[NOT_CONFIRMED\]$/,
    );
    expect(failure.message).not.toMatch(/[.?!]\. /);
    expect(failure.message).not.toMatch(/41101|52102|36103|33104/);
    await expectOld(host, old);
  });

  test("a host that vanishes after the load undoes it by itself, as the error says", async () => {
    const [host, old, context] = await claimGated((gated) =>
      interfere({
        after: { load: async () => (swallowing = await lab.swallow({ to: gated, protocol: "any" })) },
      }),
    );
    let swallowing: Awaited<ReturnType<Lab["swallow"]>> | undefined;
    const failing = changeHost({ ...update, ...shortly }, context).catch((error) => error);
    await waitUntil("the old ruleset", timerLimitMs, async () => {
      return context.lines.some((line) => line.includes("4/6")) && (await listGate(host)) === old;
    });
    expect((await failing).message).toMatch(
      /own timer will put back what it had before within 15 s\..*\[NOT_CONFIRMED\]$/,
    );
    await swallowing?.restore();
    await expectOld(host, old);
  });

  test("a deployer that is killed after the load is undone in time, and the next change ends well", async () => {
    const [host, old, context] = await claimGated();
    await killAfterLoad({ connection: connectionTo(lab, host), request: { ...update, ...shortly } });
    expect(await listGate(host)).not.toBe(old);
    expect(await findTimers(host)).toHaveLength(1);
    await waitUntil("the old ruleset", timerLimitMs, async () => (await listGate(host)) === old);
    await waitForNoTimer(host);
    await expectOld(host, old);
    await changeHost(update, context);
    expect(context.lines[0]).toContain("the last change was undone: not confirmed in time");
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test.each([
    ["with a gate", oldPolicy],
    ["without one", undefined],
  ])("a change that was staged and never armed is forgotten in time, on a host %s", async (_, former) => {
    const host = claimHost(lab);
    if (former !== undefined) await changeHost(first, await deployTo(lab, host));
    const before = [await listGate(host), await listFiles(host)];
    await leavePending(newPolicy, former, 4, await deployTo(lab, host), "stage");
    expect(await findTimers(host)).toHaveLength(1);
    await waitUntil("no timer", timerLimitMs, async () => (await findTimers(host)).length === 0);
    expect([await listGate(host), await listFiles(host)]).toEqual(before);
  });

  test("a confirm that comes after the undo confirms nothing, and says so", async () => {
    const [host, old, context] = await claimGated();
    const id = await leavePending(newPolicy, oldPolicy, 3, context);
    await waitUntil("the old ruleset", timerLimitMs, async () => (await listGate(host)) === old);
    await waitForNoTimer(host);
    const { connection } = await reachHost(context.routes, [oldPolicy], true, context.dialing);
    const digest = digestText(renderPolicy(newPolicy));
    await expect(confirmChange(connection, newPolicy, id, digest, 10_000)).rejects.toMatchObject({
      code: "NOT_CONFIRMED",
      message: `change ${id} is not pending any more: the host has undone it [NOT_CONFIRMED]`,
    });
    connection.close();
    await expectOld(host, old);
  });

  test("a first change whose deployer is killed leaves nothing on the host", async () => {
    const host = claimHost(lab);
    await host.run(["nft", "add", "table", "inet", "other"]);
    const connection = connectionTo(lab, host);
    await killAfterLoad({ connection, request: { ...first, ...shortly } });
    expect(await listGate(host)).not.toBe("");
    await waitUntil("an end without files", timerLimitMs, async () => (await listFiles(host)).length === 0);
    expect(await host.ruleset()).toBe("table inet other {\n}\n");
    await changeHost(first, await deployTo(lab, host));
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test("while a change is pending another one is refused, and afterwards it is not", async () => {
    const [host, old, context] = await claimGated();
    await leavePending(newPolicy, oldPolicy, 20, await deployTo(lab, host));
    const pending = await listGate(host);
    const failure = await changeHost(update, context).catch((error) => error);
    expect(failure).toMatchObject({ code: "CHANGE_PENDING" });
    const [, seconds] = /the host undoes it in at most (\d+) seconds/.exec(failure.message) ?? [];
    expect(Number(seconds)).toBeGreaterThan(5);
    expect(Number(seconds)).toBeLessThanOrEqual(26);
    expect(await listGate(host)).toBe(pending);
    await waitUntil("the old ruleset", timerLimitMs, async () => (await listGate(host)) === old);
    await changeHost(update, await deployTo(lab, host));
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test("a pending change whose timer died is undone by the next change first", async () => {
    const [host, old] = await claimGated();
    await leavePending(newPolicy, oldPolicy, 10, await deployTo(lab, host));
    await host.run(["kill", "-9", ...(await findTimers(host))]);
    const seen: string[] = [];
    const context = await deployTo(
      lab,
      host,
      interfere({ before: { arm: async () => seen.push(await listGate(host)) } }),
    );
    await waitUntil("an end of being refused", timerLimitMs, () =>
      changeHost(update, context).then(
        () => true,
        (error) => {
          if (error.code !== "CHANGE_PENDING") throw error;
          return false;
        },
      ),
    );
    expect(seen).toEqual([old]);
    expect(await listFiles(host)).toEqual(confirmedFiles);
    expect(await isLetIn("outside", host, newSteps)).toBe(true);
  });

  test("a lost answer to confirm is noticed, and the change counts", async () => {
    const [host, , context] = await claimGated(() => interfere({ loses: ["confirm"] }));
    await expect(changeHost(update, context)).resolves.toMatchObject({ digest: expect.any(String) });
    expect(context.lines.at(-1)).toContain("the answer was lost, but the host has confirmed the change");
    expect(await listFiles(host)).toEqual(confirmedFiles);
    await waitForNoTimer(host);
  });

  test("a first change that fails leaves nothing on the host", async () => {
    const host = claimHost(lab);
    await lab.swallow({ to: host, protocol: "tcp", port: 47_001 });
    const failing = changeHost(first, await deployTo(lab, host));
    await expect(failing).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
    expect([await host.ruleset(), await listFiles(host)]).toEqual(["", []]);
    await waitForNoTimer(host);
  });

  test("removing is refused while a change is pending, and afterwards it is not", async () => {
    const [host, old, context] = await claimGated();
    await leavePending(newPolicy, oldPolicy, 20, await deployTo(lab, host));
    const pending = await listGate(host);
    await expect(removeFromHost(newPolicy, "me", context)).rejects.toMatchObject({
      code: "CHANGE_PENDING",
      message: expect.stringContaining("Running it again is safe"),
    });
    expect(await listGate(host)).toBe(pending);
    await waitUntil("the old ruleset", timerLimitMs, async () => (await listGate(host)) === old);
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    expect([await host.ruleset(), await listFiles(host)]).toEqual(["", []]);
  });

  test("the timer waits for the host's lock as long as it takes", async () => {
    const [host, old, context] = await claimGated();
    await leavePending(newPolicy, oldPolicy, 10, context);
    const holder = host.spawn(["flock", "/var/lib", "cat"]);
    // Longer than the deadline and the 20 s that a change waits for the lock.
    await pause(32_000);
    expect(await listGate(host)).not.toBe(old);
    holder.stdin.end();
    await waitUntil("the old ruleset", timerLimitMs, async () => (await listGate(host)) === old);
    await waitForNoTimer(host);
  });
});

async function killAfterLoad(errand: Errand): Promise<void> {
  const argv = ["--import", "tsx", join(__dirname, "deployer.ts")];
  const deployer = spawn(process.execPath, argv, { stdio: ["pipe", "pipe", "inherit"] });
  deployer.stdin.end(JSON.stringify(errand));
  const exit = once(deployer, "exit");
  for await (const line of createInterface({ input: deployer.stdout })) {
    if (line.includes(": 4/6 load")) deployer.kill("SIGKILL");
  }
  expect((await exit)[1]).toBe("SIGKILL");
}
