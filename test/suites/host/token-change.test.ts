import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { purse } from "../../../src/change/process-purse";
import type { ChangeContext } from "../../../src/change/request";
import { parsePolicy } from "../../../src/policy/parse";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import { claimHost, deployTo } from "./deployment";
import { findTimers } from "./inspection";

const ada = { name: "ada", key: `ada-${"4Kq9".repeat(10)}` };
const ben = { name: "ben", key: `ben-${"8Zt2".repeat(10)}` };

function makePolicy(more: Partial<PolicyInput> = {}, gate: object = {}): Policy {
  const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } }, ...gate };
  const tokens = { slotSeconds: 600, horizonDays: 1 };
  const reading = parsePolicy({ name: "edge", gates: [ssh], users: [ada, ben], tokens, ...more });
  if (reading.kind === "wrong") throw new Error(reading.findings[0]?.message);
  return reading.policy;
}

vi.setConfig({ maxConcurrency: 4 });

describe.concurrent("a host whose gate tokens open", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 4, clients: 1 });
  });
  afterAll(() => lab?.close());

  /** A deployer of this process, which uses no token twice. */
  async function deploy(host: ReturnType<typeof claimHost>) {
    const context = await deployTo(lab, host);
    const dialing: ChangeContext["dialing"] = { ...context.dialing, purse };
    return { ...context, dialing };
  }

  test.each([
    ["a datagram", {}],
    ["an echo request", { knock: { token: { icmpEcho: true } } }],
    ["one connection for each opening", { singleConnection: true }],
  ])("is proven with %s, and changed by the removed user's token", async (_what, gate) => {
    const host = claimHost(lab);
    const policy = makePolicy({}, gate);
    const request = { policy, owner: "me", undoAfterSeconds: 120 };
    const first = await deploy(host);
    await changeHost(request, first);
    expect(first.lines.join("\n")).toContain("stays closed on TCP port 22 when a used token comes again");
    expect(first.lines.join("\n")).toMatch(
      /can be opened until \d{4}-\d\d-\d\d \d\d:\d\d UTC without a fill/,
    );
    const without = makePolicy({ users: [ben] }, gate);
    const second = await deploy(host);
    await changeHost({ ...request, policy: without, formerPolicies: [policy] }, second);
    expect(second.lines.at(-1)).toContain("6/6 confirm");
    const again = await deploy(host);
    await changeHost({ ...request, policy: without, formerPolicies: [without] }, again);
    expect(again.lines.join("\n")).toContain("nothing to change");
    expect(await findTimers(host)).toEqual([]);
  });
});
