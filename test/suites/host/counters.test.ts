import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock } from "../../../lab/packets";
import { claimHost, connectionTo } from "./deployment";
import { isLetIn } from "./inspection";
import { manage } from "./managed";
import { newSteps, oldSteps } from "./policies";

let lab: Lab;
beforeAll(async () => {
  vi.spyOn(console, "log").mockReturnValue();
  lab = await openLab({ hosts: 3, clients: 1 });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await lab?.close();
});

test.each([{ backend: "nftables" }, { backend: "iptables" }])(
  "what $backend counted is read by a refresh, is no difference, and goes with a change",
  async (row) => {
    const host = claimHost(lab);
    const [client] = lab.clients;
    if (client === undefined) throw new Error("expected a client");
    const gate = (steps: typeof oldSteps) => ({
      policy: {
        name: "edge",
        backend: row.backend,
        gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }],
      },
    });
    const managed = await manage({ connection: connectionTo(lab, host), ...gate(oldSteps) });
    expect(managed.state["counters"]).toEqual({});
    await managed.refresh();
    const before = managed.state["counters"] as { ssh: { accepted: number; dropped: number } };
    // The gate dropped the proof's packet before the knock and accepted it after. The refresh comes through with its
    // own knock.
    expect(before).toEqual({
      ssh: { accepted: expect.any(Number), dropped: expect.any(Number), ...more(row) },
    });

    expect(await isLetIn(client, host)).toBe(false);
    expect(await managed.isDue()).toBe(false);
    await managed.refresh();
    const after = managed.state["counters"] as typeof before;
    expect(after.ssh.dropped).toBeGreaterThan(before.ssh.dropped);

    const patience = { connection: connectionTo(lab, host, { dialErrorLimit: 1 }) };
    await managed.up(patience);
    expect(managed.state["counters"]).toEqual(after);
    await managed.up({ ...patience, ...gate(newSteps) });
    expect(managed.state["counters"]).toEqual({});
  },
);

test("a gate of one step counts each opening once, over IPv4 and IPv6", async () => {
  const host = claimHost(lab);
  const [client] = lab.clients;
  if (client === undefined) throw new Error("expected a client");
  const steps = [{ udp: 47_001 }];
  const gates = [{ name: "web", protect: [{ tcp: "8080" }], knock: { steps } }];
  const managed = await manage({ connection: connectionTo(lab, host), policy: { name: "edge", gates } });
  const count = async () => {
    await managed.refresh();
    return (managed.state["counters"] as { web: { opened: number } }).web.opened;
  };
  const before = await count();
  for (const to of [host.ipv4, host.ipv6]) await sendKnock(client, { to, steps });
  expect(await count()).toBe(before + 2);
});

function more({ backend }: { readonly backend: string }): object {
  return backend === "nftables" ? { opened: expect.any(Number), reset: 0 } : {};
}
