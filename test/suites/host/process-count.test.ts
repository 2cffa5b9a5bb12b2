// How many processes a host runs for a change, and what it asks of nft. A count is the same on a busy machine.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import type { Policy } from "../../../src/policy/policy";
import { claimHost, deployTo } from "./deployment";
import { readNextPid, watchNft } from "./host-calls";
import { makePolicy, newSteps } from "./policies";
import { ben, declareTokens } from "./token-host";

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("a change", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 4 });
  });
  afterAll(() => lab?.close());

  /** Makes a change, and returns what it cost the host. */
  async function measure(host: LabHost, policy: Policy, former?: Policy) {
    const nft = await watchNft(host);
    const before = await readNextPid(host);
    const request = { policy, formerPolicies: former === undefined ? [] : [former], owner: "me" };
    await changeHost({ ...request, undoAfterSeconds: 60 }, await deployTo(lab, host));
    const processes = (await readNextPid(host)) - before - 1;
    return { processes, ...(await nft.count()) };
  }

  const sequence = [makePolicy(), makePolicy({ steps: newSteps })] as const;
  const tokens = [declareTokens(), declareTokens({ users: [ben] })] as const;

  // A bare push by two sessions takes 7 processes, and one load.
  test.each([
    { name: "first", changes: [[sequence[0]]], listings: 4, processes: 58 },
    { name: "later", changes: [[sequence[0]], [sequence[1], sequence[0]]], listings: 5, processes: 62 },
  ] as const)(
    "of a sequence, a $name one, tries the ruleset and its undo at once, loads once, and runs at most $processes processes",
    async ({ changes, listings, processes }) => {
      const host = claimHost(lab);
      let cost: Awaited<ReturnType<typeof measure>> | undefined;
      for (const [policy, former] of changes) cost = await measure(host, policy, former);
      if (cost === undefined) throw new Error("no change");
      expect(cost).toMatchObject({ checks: 1, loads: 1, listings });
      expect(cost.processes - 3 * (cost.readings - 1)).toBeLessThanOrEqual(processes);
    },
  );

  test("of tokens tries nothing more than once", async () => {
    const host = claimHost(lab);
    const [first, second] = tokens;
    const created = await measure(host, first);
    // Whether the host can hold tokens, and the ruleset.
    expect(created).toMatchObject({ checks: 2, loads: 1 });

    expect(created.processes).toBeLessThanOrEqual(230);
    const updated = await measure(host, second, first);

    expect(updated).toMatchObject({ checks: 1, loads: 2 });
    expect(updated.processes).toBeLessThanOrEqual(320);
  });

  test("by iptables runs at most 250 processes", async () => {
    const host = claimHost(lab);
    const [first, second] = sequence.map((policy): Policy => ({ ...policy, backend: "iptables" }));
    if (first === undefined || second === undefined) throw new Error("no policies");
    const created = await measure(host, first);
    expect(created.processes).toBeLessThanOrEqual(235);
    const updated = await measure(host, second, first);
    expect(updated.processes).toBeLessThanOrEqual(250);
  });
});
