import { setTimeout as sleep } from "node:timers/promises";
import { type Sending, startForged } from "../../lab/forged-packets";
import type { LabMachine } from "../../lab/machine";
import type { BenchHost } from "../hosts/bench-hosts";
import type { Prober } from "../hosts/prober";
import { type AttackedGate, clientOf, type Knock } from "./gates";
import type { Attack } from "./scenarios";

/** From one knock to the next: with less, the client would meet the limit of first steps of its own network. */
const paceMs = 100;
/** What a daemon gets to open the last door. */
const settleMs = 2_000;
/** How long an attack goes on before the first knock. Whatever opens then, the attack has opened. */
const aloneMs = 3_000;
/** More than all of the knocks take. */
const longestSeconds = 900;
/** Until the doors that the client opened are closed. */
const laterMs = 40_000;

/** How often a door opened to the client, and to the attack. */
export interface Withstood {
  readonly knocks: number;
  readonly attack: number;
  /** How many packets of the attack were sent in a second. */
  readonly perSecond?: number;
}

/**
 * Knocks this many times at each gate in the midst of an attack on all of them, or without one.
 *
 * @returns what each gate withstood; none for a gate that the attack says nothing of
 */
export async function withstand(
  gates: readonly AttackedGate[],
  attack: Attack | undefined,
  { attacker, prober, knocks }: { attacker: LabMachine; prober: Prober; knocks: number },
): Promise<ReadonlyMap<AttackedGate, Withstood>> {
  const attacked = gates.filter((gate) => attack === undefined || attack.describe(gate) !== undefined);
  const made: (readonly Knock[])[] = [];
  for (const gate of attacked) made.push(await makeKnocks(gate, knocks));
  const count = () => Promise.all(attacked.map((gate) => gate.countOpenings(gate.host)));
  const before = await count();
  const sendings = await Promise.all(attacked.map((gate) => startAttack(attacker, gate, attack)));
  await sleep(aloneMs);
  const alone = await count();
  await takeTurns(attacked, knocks, async ({ host }, index, turn) => {
    await prober.send(host, clientOf(host), made[index]?.[turn]?.steps ?? []);
  });
  const after = await count();
  for (const sending of sendings) sending?.stop();
  const sent = await Promise.all(sendings.map((sending) => sending?.sent));
  return new Map(
    attacked.map((gate, index) => {
      const [first = 0, second = 0, last = 0] = [before[index], alone[index], after[index]];
      const packets = sent[index];
      return [
        gate,
        {
          // More openings than knocks are the attack's.
          knocks: Math.min(knocks, last - second),
          attack: second - first + Math.max(0, last - second - knocks),
          ...(packets === undefined ? {} : { perSecond: packets.packets / packets.seconds }),
        },
      ];
    }),
  );
}

async function startAttack(
  attacker: LabMachine,
  gate: AttackedGate,
  attack: Attack | undefined,
): Promise<Sending | undefined> {
  const packets = attack?.describe(gate);
  if (packets === undefined) return undefined;
  return startForged(attacker, {
    ...packets,
    to: gate.host.address,
    count: packets.perSecond * longestSeconds,
  });
}

/** How somebody who saw a knock sends it again. */
export const replays = ["at once", "later", "from another source", "at another host"] as const;
export type Replay = (typeof replays)[number];

/** Knocks this many times at each gate, replays each knock in each way, and counts by gate which replays opened. */
export async function replayAll(
  gates: readonly AttackedGate[],
  prober: Prober,
  knocks: number,
): Promise<Readonly<Record<Replay, readonly number[]>>> {
  const made: (readonly Knock[])[] = [];
  for (const gate of gates) made.push(await makeKnocks(gate, knocks));
  const again = (where: "host" | "other", sourceOf: (host: BenchHost) => string) =>
    countAll(gates, where, knocks, async (gate, index, turn) => {
      const knock = made[index]?.[turn];
      if (knock !== undefined) await prober.send(gate[where], sourceOf(gate[where]), knock.replay());
    });
  const twice = await countAll(gates, "host", knocks, async ({ host }, index, turn) => {
    const knock = made[index]?.[turn];
    if (knock === undefined) return;
    await prober.send(host, clientOf(host), knock.steps);
    await prober.send(host, clientOf(host), knock.replay());
  });
  await sleep(laterMs);
  return {
    "at once": twice.map((opened) => Math.max(0, opened - knocks)),
    later: await again("host", clientOf),
    "from another source": await again("host", (host) => host.takeSource()),
    "at another host": await again("other", clientOf),
  };
}

/** Lets all gates have their turns side by side, and counts the openings of each. */
async function countAll(
  gates: readonly AttackedGate[],
  where: "host" | "other",
  turns: number,
  take: TakeTurn,
): Promise<readonly number[]> {
  const count = () => Promise.all(gates.map((gate) => gate.countOpenings(gate[where])));
  const before = await count();
  await takeTurns(gates, turns, take);
  return (await count()).map((opened, index) => opened - (before[index] ?? 0));
}

type TakeTurn = (gate: AttackedGate, index: number, turn: number) => Promise<void>;

/** Each gate has a turn in each step of the pace. Ends when the last door had its time to open. */
async function takeTurns(gates: readonly AttackedGate[], turns: number, take: TakeTurn): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    const rest = sleep(paceMs);
    for (const [index, gate] of gates.entries()) await take(gate, index, turn);
    await rest;
  }
  await sleep(settleMs);
}

async function makeKnocks(gate: AttackedGate, knocks: number): Promise<readonly Knock[]> {
  const made: Knock[] = [];
  for (let number = 0; number < knocks; number += 1) made.push(await gate.makeKnock());
  return made;
}
