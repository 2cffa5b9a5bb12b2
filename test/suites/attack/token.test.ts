import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type ForgedPackets, startForged } from "../../../lab/forged-packets";
import { tryConnect } from "../../../lab/packets";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";
import { fillSets, firstSlot, listTokens, makeToken, sendToken, tokenPort } from "../kernel/token-lab";
import { countOpenings, loadPolicy, useAttackedLab } from "./attacked-host";
import { canScan, sweep } from "./nmap";

const carrier = { kind: "udp", port: tokenPort } as const;
const input: PolicyInput = {
  name: "edge",
  users: [{ name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" }],
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: tokenPort } }, openForSeconds: 1 }],
};
const policy: Policy = readPolicy(input);
/** The deep tests try as often, and as fast, as docs/attacks.md says. */
const isDeep = process.env["KNOCKGATE_DEEP"] !== undefined;
const knocks = isDeep ? 200 : 30;
const flood = isDeep ? { count: 500_000, perSecond: 100_000 } : { count: 30_000, perSecond: 10_000 };

const lab = useAttackedLab();

async function fill(slots: number): Promise<void> {
  await loadPolicy(lab.host, input);
  await fillSets(lab.host, policy, slots);
}

test("a token that somebody saw and says again opens for nobody: at once, later, from another source", async () => {
  await fill(2);
  const token = makeToken(policy);
  await sendToken(lab.client, lab.host.ipv4, carrier, token);
  expect(await tryConnect(lab.client, lab.host.ipv4, 22, 3_000)).toBe("open");
  for (const from of [lab.attacker, lab.client]) {
    for (let times = 0; times < 10; times += 1) await sendToken(from, lab.host.ipv4, carrier, token);
  }
  await sleep(1_500); // until the client's own door is closed
  await sendToken(lab.client, lab.host.ipv4, carrier, token);
  expect(await countOpenings(lab.host, input)).toBe(1);
  expect(await tryConnect(lab.client, lab.host.ipv4, 22, 300)).toBe("silent");
  expect(await tryConnect(lab.attacker, lab.host.ipv4, 22, 300)).toBe("silent");
});

test("a token for one host of a fleet is worth nothing at another", async () => {
  await fill(3);
  for (let slot = firstSlot; slot < firstSlot + 3; slot += 1) {
    const token = makeToken(policy, { host: "other.example.org", slot });
    await sendToken(lab.attacker, lab.host.ipv4, carrier, token);
  }
  expect(await countOpenings(lab.host, input)).toBe(0);
});

test.runIf(canScan()).each(["UDP", "SYN"] as const)(
  "a sweep of ports by %s opens nothing and uses up no token",
  async (kind) => {
    await fill(3);
    const before = await listTokens(lab.host, policy);
    await sweep(lab.attacker, lab.host, {
      kind,
      ports: `${tokenPort - 300}-${tokenPort + 300}`,
      order: "ascending",
    });
    expect(await countOpenings(lab.host, input)).toBe(0);
    expect(await listTokens(lab.host, policy)).toBe(before);
  },
);

describe("during a flood of datagrams to the token's port", () => {
  test.each<readonly [string, () => Pick<ForgedPackets, "sources" | "kind">]>([
    ["from forged sources", () => ({ sources: "random", kind: { payloadBytes: 16 } })],
    ["from forged sources, of another size", () => ({ sources: "random", kind: { payloadBytes: 40 } })],
    ["in the client's name", () => ({ sources: lab.client.ipv4, kind: { payloadBytes: 16 } })],
  ])("%s, each token opens at the first try", async (words, describeFlood) => {
    await fill(knocks);
    const to = { to: lab.host.ipv4, ports: `${tokenPort}` };
    const flooding = await startForged(lab.attacker, { ...to, ...flood, ...describeFlood() });
    for (let slot = firstSlot; slot < firstSlot + knocks; slot += 1) {
      await sendToken(lab.client, lab.host.ipv4, carrier, makeToken(policy, { slot }));
      await sleep((flood.count / flood.perSecond / knocks) * 800);
    }
    const sent = await flooding.sent;
    expect(sent.packets).toBe(flood.count);
    const opened = await countOpenings(lab.host, input);
    console.log(
      `${words}: ${sent.packets} datagrams in ${sent.seconds.toFixed(1)} s; ${opened} of ${knocks} tokens opened`,
    );
    // A queue on the way may drop a packet: that is no fault of the gate.
    expect(opened).toBeGreaterThanOrEqual(Math.floor(knocks * 0.99) - (isDeep ? 0 : 1));
    expect(await listTokens(lab.host, policy)).toBe("\n");
  });
});
