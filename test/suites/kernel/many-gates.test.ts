import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { renderPolicy } from "../../../src/backends/render";
import { readPolicy } from "../../unit/policy/read-policy";

/** So many gates that there are groups of groups. */
const count = 120;
const doorOf = (index: number) => 3_000 + index;
const stepsOf = (index: number) => [10_000, 20_000, 30_000].map((first) => ({ tcp: first + index }));
const stray = { tcp: 4_000 };

const policy = readPolicy({
  name: "edge",
  gates: Array.from({ length: count }, (_, index) => ({
    name: `g${index}`,
    protect: [{ tcp: `${doorOf(index)}` }],
    knock: { steps: stepsOf(index), strict: index !== 7, stepTimeoutSeconds: 60 },
    openForSeconds: 60,
  })),
});

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 1, clients: 2 });
});
afterAll(() => lab?.close());

test("of many gates, a packet puts its source back at those where it is, and at no other", async () => {
  const [host, [one, other]] = [lab.hosts[0], lab.clients];
  if (host === undefined || one === undefined || other === undefined) throw new Error("the lab is too small");
  const groups = renderPolicy(policy).match(/set mid_knock\d+_1_v4 /g);
  expect(groups).toEqual(["set mid_knock63_1_v4 ", "set mid_knock7_1_v4 "]);
  await host.run(["nft", "-f", "-"], { stdin: renderPolicy(policy) });
  for (const family of ["ipv4", "ipv6"] as const) {
    await host.run(["nft", "reset", "counters", "table", "inet", "knockgate_edge"]);
    const to = host[family];
    const step = (index: number, position: number) => stepsOf(index)[position - 1] ?? stray;
    // The other client stays in mid-knock at two gates. One of them is not strict.
    await sendKnock(other, { to, steps: [step(7, 1), step(119, 1), step(119, 2)], pauseMs: 5 });
    // The first step of another gate is a wrong packet, and so is a step of a gate where the source is not.
    await sendKnock(one, { to, steps: [step(0, 1), step(60, 1), step(0, 2), step(0, 3)], pauseMs: 5 });
    const steps = [
      step(0, 1),
      step(60, 1),
      step(60, 2),
      step(33, 2),
      step(119, 1),
      step(119, 1),
      stray,
      stray,
    ];
    await sendKnock(one, { to, steps, pauseMs: 5 });
    await sendKnock(one, { to, steps: [step(59, 1), step(59, 3), step(59, 1), ...stepsOf(7)], pauseMs: 5 });
    await sendKnock(other, { to, steps: [step(119, 3), step(7, 2), step(7, 3)], pauseMs: 5 });
    const { stdout } = await host.run(["nft", "-j", "list", "counters", "table", "inet", "knockgate_edge"]);
    const listed: { counter?: { name: string; packets: number } }[] = JSON.parse(stdout).nftables;
    const counted = listed.flatMap(({ counter }) => (counter && counter.packets > 0 ? [counter] : []));
    expect(Object.fromEntries(counted.map(({ name, packets }) => [name, packets]))).toEqual({
      g0_reset: 2,
      g60_reset: 2,
      g119_reset: 1,
      g59_reset: 2,
      g7_opened: 2,
      g119_opened: 1,
    });
    // Nothing listens: a refusal is the answer behind an open door.
    expect(await tryConnect(other, to, doorOf(119), 2_000)).toBe("refused");
    expect(await tryConnect(one, to, doorOf(119), 300)).toBe("silent");
    expect(await tryConnect(one, to, doorOf(7), 2_000)).toBe("refused");
  }
});
