import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AttackedGate } from "../../../bench/attacks/gates";
import { renderAttacks } from "../../../bench/attacks/page";
import { attacks, quantities } from "../../../bench/attacks/scenarios";
import type { Series } from "../../../bench/figure";
import { attacksFigure } from "../../../bench/figures/attacks";
import type { BenchHost } from "../../../bench/hosts/bench-hosts";
import { judgeFigure } from "../../../bench/judge";
import { root } from "../../../bench/root";

const one = (quantity: string, scenario: string, subject: string, value: number): Series => {
  return { quantity, scenario, subject, unit: "", samples: [value] };
};

test("the page says for each attack how many of all knocks opened, what the attack opened, and how fast it was", () => {
  const series = [
    one(quantities.opened, "no attack", "token", 100),
    one(quantities.opened, "flood", "token", 99.5),
    one(quantities.opened, "flood", "knockd", 0),
    one(quantities.byAttack, "flood", "token", 0),
    one(quantities.byAttack, "flood", "knockd", 3),
    one(quantities.byAttack, "replay", "knockd", 200),
    one(quantities.rate, "flood", "token", 100_000.4),
    one(quantities.rate, "flood", "knockd", 98_765.4),
  ];
  const outcome = { series, facts: { knockd: "knockd 0.8" } };
  const result = judgeFigure(attacksFigure, outcome, { rounds: 200, seconds: 1 });
  const page = renderAttacks(result, { date: "2026-01-01", kernel: "6.1" });
  expect(page.split("\n").filter((line) => line.startsWith("|"))).toEqual([
    "| attack | packets a second | token | knockd |",
    "| --- | --- | --- | --- |",
    "| no attack |  | 200 of 200 |  |",
    "| flood | 98,765 to 100,000 | 199 of 200 | 0 of 200 |",
    "| attack | packets a second | token | knockd |",
    "| --- | --- | --- | --- |",
    "| flood | 98,765 to 100,000 | 0 | 3 |",
    "| replay |  |  | 200 |",
  ]);
  expect(page).toContain("Measured: 2026-01-01; unknown; unknown; unknown; 6.1; unknown. With knockd 0.8.");
});

test("a token is held to each attack and each replay: no goal is left out", () => {
  const goals = attacksFigure.goals.map(({ of }) => `${of.quantity}: ${of.scenario}`);
  expect(new Set(goals).size).toBe(goals.length);
  const expected = attacks.flatMap(({ name }) => [
    `${quantities.opened}: ${name}`,
    `${quantities.byAttack}: ${name}`,
  ]);
  expect(goals).toEqual(expect.arrayContaining(expected));
  expect(goals.filter((goal) => goal.startsWith(`${quantities.byAttack}: replay`))).toHaveLength(4);
});

test("floods go to where a knock begins, and those of another size leave out what has no size", () => {
  const host = { address: "172.31.7.2", takeSource: () => "10.0.0.1" } as unknown as BenchHost;
  const describeAll = (begin: AttackedGate["begin"]) =>
    attacks.map((attack) => {
      const packets = attack.describe({ host, begin } as AttackedGate);
      if (packets === undefined) return undefined;
      const { kind, ports, sources, perSecond } = packets;
      return [kind === "syn" ? kind : kind.payloadBytes, ports, sources, perSecond];
    });
  const sweeps = [
    ["syn", "1-65535", "10.0.0.1", 20_000],
    [0, "1-65535", "10.0.0.1", 20_000],
  ];
  expect(describeAll({ kind: { payloadBytes: 16 }, ports: "62201" })).toEqual([
    ...sweeps,
    [16, "62201", "random", 100_000],
    [40, "62201", "random", 100_000],
    [16, "62201", "172.31.7.1", 100_000],
    [40, "62201", "172.31.7.1", 100_000],
  ]);
  expect(describeAll({ kind: "syn", ports: "47001" })).toEqual([
    ...sweeps,
    ["syn", "47001", "random", 100_000],
    undefined,
    ["syn", "47001", "172.31.7.1", 100_000],
    undefined,
  ]);
});

test("the page has the place that the figure writes", () => {
  const text = readFileSync(join(root, attacksFigure.page?.file ?? ""), "utf8");
  expect(text).toMatch(/<!-- attacks -->\n[\s\S]*<!-- \/attacks -->/);
});
