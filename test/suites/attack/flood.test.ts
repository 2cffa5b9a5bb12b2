import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type ForgedPackets, sendForged, startForged } from "../../../lab/forged-packets";
import { sendKnock, tryConnect } from "../../../lab/packets";
import type { PolicyInput } from "../../../src/policy/policy";
import { backends, countOpenings, countStarted, gateSsh, loadPolicy, useAttackedLab } from "./attacked-host";

const steps = [{ tcp: 47_001 }, { tcp: 58_002 }, { tcp: 39_003 }];
const firstStep = "47001-47001";
const knock = "47001,58002,39003";
const everyFirstStep = { firstStepsPerSecond: 0 };

const lab = useAttackedLab();

describe.each(backends)("with the backend %s", (backend) => {
  test("one packet forged in the client's name puts its knock back to the start, if the gate is strict", async () => {
    const forge: ForgedPackets = {
      kind: "syn",
      to: lab.host.ipv4,
      sources: lab.client.ipv4,
      count: 1,
      perSecond: 1,
      ports: "60000-60000",
    };
    for (const strict of [true, false]) {
      const policy = gateSsh(backend, { steps, strict });
      await loadPolicy(lab.host, policy);
      await sendKnock(lab.client, { to: lab.host.ipv4, steps: steps.slice(0, 2) });
      await sleep(20);
      await sendForged(lab.attacker, forge);
      await sendKnock(lab.client, { to: lab.host.ipv4, steps: steps.slice(2) });
      await sleep(20);
      expect(await countOpenings(lab.host, policy)).toBe(strict ? 0 : 1);
    }
  });

  test("a forged packet closes no door that is open", async () => {
    const policy = gateSsh(backend, { steps });
    await loadPolicy(lab.host, policy);
    await sendKnock(lab.client, { to: lab.host.ipv4, steps });
    for (const port of [60_000, 47_001, 22]) {
      const ports = `${port}-${port}`;
      await sendForged(lab.attacker, {
        kind: "syn",
        to: lab.host.ipv4,
        sources: lab.client.ipv4,
        count: 1,
        perSecond: 1,
        ports,
      });
    }
    expect(await tryConnect(lab.client, lab.host.ipv4, 22, 3_000)).toBe("open");
  });

  test("the limit holds for the first steps of one /24, and those of other networks still count", async () => {
    const count = 200;
    const flood: ForgedPackets = {
      kind: "syn",
      to: lab.host.ipv4,
      sources: `203.0.113.1+${count}`,
      count,
      perSecond: 1_000,
      ports: firstStep,
    };
    const patient = { steps, stepTimeoutSeconds: 120 };
    const unlimited = gateSsh(backend, patient, everyFirstStep);
    await loadPolicy(lab.host, unlimited);
    await sendForged(lab.attacker, flood);
    // xt_recent holds no more than this (ip_list_tot).
    expect(await countStarted(lab.host, unlimited)).toBe(backend === "iptables" ? 100 : count);

    const limited = gateSsh(backend, patient, { firstStepsPerSecond: 2 });
    await loadPolicy(lab.host, limited);
    const { seconds } = await sendForged(lab.attacker, flood);
    const started = await countStarted(lab.host, limited);
    expect(started).toBeGreaterThanOrEqual(4);
    expect(started).toBeLessThanOrEqual(4 + 2 * (seconds + 1));
    await sendKnock(lab.client, { to: lab.host.ipv4, steps });
    expect(await tryConnect(lab.client, lab.host.ipv4, 22, 3_000)).toBe("open");
  });
});

describe("a flood of first steps from forged sources", () => {
  test("does not keep clients of the backend nftables out, neither during it nor after it", async () => {
    const { quick } = await measureFlood(gateSsh("nftables", { steps }, {}), { count: 100_000 });
    expect(quick.opened).toBeGreaterThanOrEqual(quick.tries / 2);
  });

  test("does not keep them out without a limit of first steps either", async () => {
    const policy = gateSsh("nftables", { steps }, everyFirstStep);
    const { quick } = await measureFlood(policy, { count: inDeep(30_000) });
    expect(quick.opened).toBeGreaterThanOrEqual(quick.tries / 2);
  });

  test("fills sets of nftables that are too small for it, until they have forgotten it", async () => {
    await measureFlood(gateSsh("nftables", { steps }, { sources: 4_096 }), { count: inDeep(30_000) });
  });

  test("overruns the lists of the backend iptables, which work again after it", async () => {
    await measureFlood(gateSsh("iptables", { steps }, {}), { count: 100_000 });
  });

  test("in the clients' own /24 uses up that network's limit, and knocks open again after it", async () => {
    const network = lab.client.ipv4.replace(/\d+$/, "");
    // The second port puts each source back to the start: a source that waits for its second step would use up nothing.
    const ports = `${steps[0]?.tcp},60000`;
    const flood = { sources: `${network}3+100`, perSecond: 1_000, count: 3_000, ports };
    await measureFlood(gateSsh("nftables", { steps }, {}), flood, `${network}150+100`);
  });
});

/** The deep tests send as many packets as docs/attacks.md says. */
function inDeep(count: number): number {
  return process.env["KNOCKGATE_DEEP"] === undefined ? count : 100_000;
}

/**
 * Lets clients knock in the midst of a flood, each from an address of its own, and prints how many of their knocks
 * opened: quick clients with 2 ms from step to step, and slow ones, as over a long way. Resolves when a knock opens
 * after the flood, which must not take long.
 */
async function measureFlood(
  policy: PolicyInput,
  more: Partial<ForgedPackets> & Pick<ForgedPackets, "count">,
  clients = "198.18.0.1/24s",
) {
  await loadPolicy(lab.host, policy);
  const flood: ForgedPackets = {
    kind: "syn",
    to: lab.host.ipv4,
    sources: "random",
    perSecond: 10_000,
    ports: firstStep,
    ...more,
  };
  const seconds = flood.count / flood.perSecond;
  const flooding = await startForged(lab.attacker, flood);
  await sleep(seconds * 50);
  // Only a few knocks in a second, so that they do not use up a limit themselves.
  const quick = await measureKnocks(policy, { clients, knocks: Math.round(seconds * 6), pauseMs: 2 });
  const slow = await measureKnocks(policy, { clients, knocks: Math.round(seconds * 2), pauseMs: 50 });
  const sent = await flooding.sent;
  const end = performance.now();
  expect(sent.packets).toBe(flood.count);
  // A step is forgotten after 5 s. The kernel's cleaning of the sets takes another second.
  while (!(await doesOpen(policy))) expect(performance.now() - end).toBeLessThan(15_000);
  const { backend, limits } = policy;
  const words = [
    `${backend} ${JSON.stringify(limits)}, sources ${flood.sources}: ${sent.packets} packets in ${sent.seconds.toFixed(1)} s`,
    `${quick.opened} of ${quick.tries} quick knocks opened, ${slow.opened} of ${slow.tries} slow ones`,
    `opens again after ${((performance.now() - end) / 1_000).toFixed(1)} s`,
  ];
  console.log(words.join("; "));
  return { quick, slow };
}

interface Knocks {
  readonly clients: string;
  readonly knocks: number;
  readonly pauseMs: number;
}

async function measureKnocks(policy: PolicyInput, { clients, knocks, pauseMs }: Knocks) {
  const before = await countOpenings(lab.host, policy);
  const perSecond = 1_000 / pauseMs;
  await sendForged(lab.client, {
    kind: "syn",
    to: lab.host.ipv4,
    sources: clients,
    count: 3 * knocks,
    perSecond,
    ports: knock,
  });
  return { tries: knocks, opened: (await countOpenings(lab.host, policy)) - before };
}

async function doesOpen(policy: PolicyInput): Promise<boolean> {
  const before = await countOpenings(lab.host, policy);
  await sendKnock(lab.client, { to: lab.host.ipv4, steps });
  await sleep(100);
  return (await countOpenings(lab.host, policy)) > before;
}
