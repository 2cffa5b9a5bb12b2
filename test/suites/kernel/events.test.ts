import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { renderPolicy } from "../../../src/backends/render";
import { parsePolicy } from "../../../src/policy/parse";
import type { PolicyInput } from "../../../src/policy/policy";

const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }];

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 3, clients: 1 });
});
afterAll(() => lab?.close());

async function gate(host: LabHost | undefined, more: Partial<PolicyInput>): Promise<LabHost> {
  if (host === undefined) throw new Error("the lab has too few hosts");
  const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 60 }];
  const reading = parsePolicy({ name: "edge", gates, ...more });
  if (reading.kind === "wrong") throw new Error(reading.findings[0]?.message);
  await host.run(["nft", "-f", "-"], { stdin: renderPolicy(reading.policy) });
  return host;
}

/** Packets counted for each event. */
async function readCounters(host: LabHost): Promise<Record<string, number>> {
  const { stdout } = await host.run(["nft", "-j", "list", "counters", "table", "inet", "knockgate_edge"]);
  const listed: { counter?: { name: string; packets: number } }[] = JSON.parse(stdout).nftables;
  return Object.fromEntries(
    listed.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])),
  );
}

test("knocks completed, connections accepted and dropped, and resets are counted", async () => {
  const host = await gate(lab.hosts[0], {});
  const to = host.ipv4;
  expect(await tryConnect("outside", to, 22, 300)).toBe("silent");
  await sendKnock("outside", { to, steps: [{ tcp: 7411 }, { tcp: 4000 }] });
  await sendKnock("outside", { to, steps });
  expect(await tryConnect("outside", to, 22, 2_000)).toBe("open");
  expect(await readCounters(host)).toEqual({ ssh_opened: 1, ssh_accepted: 1, ssh_dropped: 1, ssh_reset: 1 });
});

test("only the wanted events are logged, up to the rate", async () => {
  const host = await gate(lab.hosts[1], { log: { events: ["reset"], prefix: "kg-test", perMinute: 2 } });
  const { stdout } = await host.run(["nft", "list", "chain", "inet", "knockgate_edge", "ssh_sequence"]);
  expect(
    stdout.match(/limit rate 2\/minute (burst 5 packets )?log prefix "kg-test ssh reset "/g),
  ).toHaveLength(4);
  expect(stdout).not.toContain("ssh opened");
});

test("first steps beyond the rate of their network don't count, and those of another network do", async () => {
  const host = await gate(lab.hosts[2], { limits: { firstStepsPerSecond: 1 } });
  const client = lab.clients[0];
  if (client === undefined) throw new Error("the lab has too few clients");
  const to = host.ipv4;
  // More packets than the rate and its burst allow, each a first step after a reset: the next one is over the limit.
  const begins = Array.from({ length: 6 }, () => [{ tcp: 7411 }, { tcp: 4000 }]).flat();
  await sendKnock("outside", { to, steps: [...begins, ...steps], pauseMs: 1 });
  expect(await tryConnect("outside", to, 22, 300)).toBe("silent");
  await sendKnock(client, { to, steps });
  expect(await tryConnect(client, to, 22, 2_000)).toBe("open");
  await pause(3_000);
  await sendKnock("outside", { to, steps });
  expect(await tryConnect("outside", to, 22, 2_000)).toBe("open");
});
