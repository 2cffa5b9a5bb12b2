import { describe, expect, test } from "vitest";
import { sendForged } from "../../../lab/forged-packets";
import { type Packets, sendKnock, tryConnect } from "../../../lab/packets";
import {
  backends,
  countOpenings,
  gateSsh,
  listObjections,
  listRefusals,
  loadPolicy,
  type Steps,
  tcp,
  useAttackedLab,
} from "./attacked-host";
import { canScan, sweep } from "./nmap";

const allPorts = "1-65535";
const silenceMs = 500;

/** Sequences that the linter does not refuse for a strict gate. It warns of some. */
const accepted: readonly (readonly [string, Steps])[] = [
  ["goes up and down", tcp(7_100, 9_300, 8_200)],
  ["goes up all the way, with ports in between", tcp(7_100, 7_102, 7_104)],
  ["goes down all the way, with ports in between", tcp(7_104, 7_102, 7_100)],
  ["begins with two neighbouring ports", tcp(7_100, 7_101, 7_109)],
  ["ends on two neighbouring ports", tcp(7_100, 7_108, 7_109)],
  ["asks for UDP in between", [{ tcp: 7_100 }, { udp: 7_101 }, { tcp: 7_102 }]],
];
const neighbours = tcp(7_000, 7_001, 7_002);
const ascending = tcp(7_100, 7_300, 7_500);
const ascendingUdp: Steps = [{ udp: 7_100 }, { udp: 7_130 }, { udp: 7_160 }];

const lab = useAttackedLab();

describe.runIf(canScan()).each(backends)("a gate of the backend %s", (backend) => {
  test.each(accepted)("does not open to a sweep when it is strict and its sequence %s", async (_, steps) => {
    const policy = gateSsh(backend, { steps });
    expect(listRefusals(policy)).toEqual([]);
    await loadPolicy(lab.host, policy);
    await sweep(lab.attacker, lab.host, { kind: "SYN", ports: "7000-9999", order: "ascending" });
    await sweep(lab.attacker, lab.host, { kind: "SYN", ports: "7000-9999", order: "random" });
    await sweepDown();
    await sweep(lab.attacker, lab.host, { kind: "UDP", ports: "7090-7110", order: "ascending" });
    expect(await countOpenings(lab.host, policy)).toBe(0);
    await expectToOpen(steps);
  });

  test("does not open to a sweep of all ports, in order or at random, when it is strict", async () => {
    const steps = tcp(7_100, 8_200, 9_300);
    const policy = gateSsh(backend, { steps });
    expect(listRefusals(policy)).toEqual([]);
    await loadPolicy(lab.host, policy);
    const rounds = process.env["KNOCKGATE_DEEP"] === undefined ? 1 : 10;
    for (let round = 0; round < rounds; round += 1) {
      await sweep(lab.attacker, lab.host, { kind: "SYN", ports: allPorts, order: "ascending" });
      await sweep(lab.attacker, lab.host, { kind: "SYN", ports: allPorts, order: "random" });
    }
    expect(await countOpenings(lab.host, policy)).toBe(0);
    await expectToOpen(steps);
  });

  test("opens to a sweep in order when its steps are neighbours, which the linter refuses", async () => {
    const policy = gateSsh(backend, { steps: neighbours });
    expect(listRefusals(policy)).toEqual(["swept-in-order"]);
    await loadPolicy(lab.host, policy);
    await sweepUntilOpen(policy, () =>
      sweep(lab.attacker, lab.host, { kind: "SYN", ports: "1-9999", order: "ascending" }),
    );
  });

  test("opens to a sweep in order when it ascends and is not strict, which the linter refuses", async () => {
    const policy = gateSsh(backend, { steps: ascending, strict: false });
    expect(listRefusals(policy)).toEqual(["swept-in-order"]);
    await loadPolicy(lab.host, policy);
    await sweepUntilOpen(policy, () =>
      sweep(lab.attacker, lab.host, { kind: "SYN", ports: "1-9999", order: "ascending" }),
    );
  });

  test("opens to a sweep downwards when it descends and is not strict, which the linter refuses", async () => {
    const policy = gateSsh(backend, { steps: [...ascending].reverse(), strict: false });
    expect(listRefusals(policy)).toEqual(["swept-in-order"]);
    await loadPolicy(lab.host, policy);
    await sweepUntilOpen(policy, sweepDown);
  });

  test("opens to a sweep in order when only protected ports lie between its steps: they reset nothing", async () => {
    const between = [{ tcp: "7101" }, { tcp: "7103-7109" }];
    const ssh = {
      name: "ssh",
      protect: [{ tcp: "22" }, ...between],
      knock: { steps: tcp(7_100, 7_102, 7_110) },
    };
    const policy = { ...gateSsh(backend, ssh.knock), gates: [ssh] };
    expect(listRefusals(policy)).toEqual(["swept-in-order"]);
    await loadPolicy(lab.host, policy);
    await sweepUntilOpen(policy, () =>
      sweep(lab.attacker, lab.host, { kind: "SYN", ports: "1-9999", order: "ascending" }),
    );
  });

  test("opens to two sweeps in order when it is not strict, in whatever order its steps are: the linter warns", async () => {
    const policy = gateSsh(backend, { steps: tcp(7_100, 7_500, 7_050), strict: false });
    expect(listObjections(policy)).toEqual(["not-strict"]);
    await loadPolicy(lab.host, policy);
    await sweepUntilOpen(policy, () =>
      sweep(lab.attacker, lab.host, { kind: "SYN", ports: "1-9999", order: "ascending" }),
    );
  });

  test("opens to a sweep of UDP ports when it is not strict, and not when it is", async () => {
    const sweepUdp = () =>
      sweep(lab.attacker, lab.host, { kind: "UDP", ports: "7000-7300", order: "ascending" });
    const lax = gateSsh(backend, { steps: ascendingUdp, strict: false });
    await loadPolicy(lab.host, lax);
    await sweepUntilOpen(lax, sweepUdp);
    const strict = gateSsh(backend, { steps: ascendingUdp });
    expect([listRefusals(lax), listRefusals(strict)]).toEqual([["swept-in-order"], []]);
    await loadPolicy(lab.host, strict);
    await sweepUdp();
    expect(await countOpenings(lab.host, strict)).toBe(0);
    await expectToOpen(ascendingUdp);
  });
});

// With iptables the linter refuses equal steps, because xt_recent could not tell their packets apart.
describe.runIf(canScan())("a gate of the backend nftables whose steps are equal", () => {
  test("opens to a sweep that sends each datagram again: the linter warns", async () => {
    const policy = gateSsh("nftables", { steps: [{ udp: 7_100 }, { udp: 7_100 }, { udp: 7_100 }] });
    expect(listObjections(policy)).toContain("equal-steps");
    await loadPolicy(lab.host, policy);
    await sweepUntilOpen(policy, async () => {
      const ports = Array.from({ length: 21 }, (_, index) => 7_090 + index);
      const steps = ports.flatMap((port) => [{ udp: port }, { udp: port }, { udp: port }]);
      await sendKnock(lab.attacker, { to: lab.host.ipv4, steps });
    });
  });
});

/** Sweeps from the highest port to the lowest, an order that nmap does not have. */
async function sweepDown(): Promise<void> {
  const syns = { kind: "syn", sources: lab.attacker.ipv4, ports: "9999-7000", count: 3_000 } as const;
  const { packets } = await sendForged(lab.attacker, { to: lab.host.ipv4, perSecond: 10_000, ...syns });
  expect(packets).toBe(3_000);
}

/** On a busy machine one packet may overtake another, so that one sweep is not always enough. */
async function sweepUntilOpen(policy: Parameters<typeof countOpenings>[1], run: () => Promise<void>) {
  for (let tries = 0; tries < 5 && (await countOpenings(lab.host, policy)) === 0; tries += 1) await run();
  expect(await countOpenings(lab.host, policy)).toBeGreaterThan(0);
  expect(await tryConnect(lab.attacker, lab.host.ipv4, 22, 3_000)).toBe("open");
}

/** Shows that the gate does open to its knock, after no sweep has opened it. */
async function expectToOpen(steps: Steps): Promise<void> {
  expect(await tryConnect(lab.attacker, lab.host.ipv4, 22, silenceMs)).toBe("silent");
  await sendKnock(lab.attacker, { to: lab.host.ipv4, steps: steps as Packets["steps"] });
  expect(await tryConnect(lab.attacker, lab.host.ipv4, 22, 3_000)).toBe("open");
}
