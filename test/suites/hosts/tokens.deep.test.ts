import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { claimHost } from "../host/deployment";
import {
  ada,
  ben,
  command,
  declareTokens,
  deploy,
  horizonSlots,
  listSlots,
  load,
  observe,
  range,
  readClock,
  slotSeconds,
  spend,
} from "../host/token-host";

const policy = declareTokens();
const both = declareTokens({ users: [ada, ben] });

// nft 0.9.8, 1.0.6, 1.1.3 and one that is newer.
describe.each(["bullseye", "busybox", "trixie", "sid"] as const)("tokens on a host with %s", (suite) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 3, clients: 1, suite });
  });
  afterAll(() => lab?.close());

  /** A host with the policy, of which a later token is spent. Returns the current slot, which does not end soon. */
  async function claimSpent(): Promise<[LabHost, number]> {
    const host = claimHost(lab);
    const left = slotSeconds - ((await readClock(host)) % slotSeconds);
    if (left < 90) await pause((left + 1) * 1_000);
    await deploy(host, policy);
    const now = Math.floor((await readClock(host)) / slotSeconds);
    await spend(host, policy, now + 3);
    return [host, now];
  }

  test("no spent token comes back, and the others stay", async () => {
    const [host] = await claimSpent();
    const left = await listSlots(host, policy);
    await command(host, ["fill", "edge"]);
    expect(await listSlots(host, policy)).toEqual(left);
    await deploy(host, policy);
    expect(await listSlots(host, policy)).toEqual(left);
    await deploy(host, policy, { isReplaced: true });
    expect(await listSlots(host, policy)).toEqual(left);
    const id = await load(host, both);
    await command(host, ["undo", "edge", id, "a test"]);
    expect(await listSlots(host, policy)).toEqual(left);
    const observed = await observe(host, policy);
    expect([observed.refusesTokens, observed.loaded?.isUndescribed]).toEqual([undefined, undefined]);
    expect(observed.loaded?.listing).toBe(observed.confirmed?.listing);
    expect(observed.loaded?.listing).not.toMatch(/elements|type 0/);
  });

  test("an undone change that nobody used takes no slot from a new user", async () => {
    const [host, now] = await claimSpent();
    const id = await load(host, both);
    await command(host, ["undo", "edge", id, "a test"]);
    await deploy(host, both);
    const slots = await listSlots(host, both, "ben");
    expect(slots.filter((slot) => slot >= now)).toEqual(range(now, now + horizonSlots));
  });

  test("a host that lost its tokens begins behind them, and a removal leaves no table", async () => {
    const [host, now] = await claimSpent();
    await host.run(["nft", "flush", "ruleset"]);
    await command(host, ["boot", "edge"]);
    expect(await listSlots(host, policy)).toEqual(range(now + horizonSlots + 1, now + 2 * horizonSlots + 1));
    await command(host, ["remove", "edge", "me", "nftables"]);
    expect(await host.ruleset()).toBe("");
  });
});
