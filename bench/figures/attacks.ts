import { locateLetmein } from "../../tools/setup/letmein-place.mjs";
import { openGates } from "../attacks/gates";
import { renderAttacks } from "../attacks/page";
import { type Replay, replayAll, replays, withstand } from "../attacks/run";
import { attacks, quantities, quiet } from "../attacks/scenarios";
import { firstLine } from "../facts";
import type { Bench, Figure, Goal, Outcome, Series } from "../figure";
import { openBenchHosts } from "../hosts/bench-hosts";
import { startProber } from "../hosts/prober";

const ours = ["token", "sequence"] as const;
const peers = ["knockd", "fwknop", "letmein"] as const;
const { opened, byAttack, rate } = quantities;
const scenarios = [quiet, ...attacks.map(({ name }) => name)];
const nameReplay = (replay: Replay) => `replay ${replay}`;

/** What attacks open, and what a client can still open meanwhile. */
export const attacksFigure: Figure = {
  name: "attacks",
  title: "Knocks during attacks",
  method:
    "A door on a host of its own for each: a token and a sequence of three SYNs of Knockgate's, knockd with the same sequence, fwknop and letmein with one user. " +
    "A round is a knock of the client's, always from the same address, 100 ms after the last one; the packets are those that the clients of fwknop and letmein send, and each of fwknop asks for another address. Floods go to where a knock " +
    "begins and look like its first packet: SYNs for a sequence and knockd, otherwise datagrams of random bytes. An attack goes on for 3 s before the first knock, and what opens " +
    "in these 3 s counts as opened by it. Sweeps go to all hosts at the same time, floods to one after another. The host counts openings: Knockgate by its counter, the others in their logs. A replay is each knock's packets once more: right behind " +
    "the knock, 40 s after the last one, from another address, and at another host with the same secrets.",
  references: [],
  ours,
  rounds: { quick: 8, full: 8 },
  goals: listGoals(),
  charts: [],
  page: { file: "docs/attacks.md", render: renderAttacks },
  run,
};

function listGoals(): readonly Goal[] {
  const token = (quantity: string, scenario: string) => ({ quantity, scenario, subject: "token" });
  return [
    ...scenarios.map((scenario) => ({
      claim: `token: ${scenario}: opens at the first try, in percent`,
      of: token(opened, scenario),
      atLeast: 99,
    })),
    ...[...scenarios.slice(1), ...replays.map(nameReplay)].map((scenario) => ({
      claim: `token: ${scenario}: opens nothing`,
      of: token(byAttack, scenario),
      atMost: 0,
    })),
  ];
}

async function run({ rounds, directory, say }: Bench): Promise<Outcome> {
  const bench = await openBenchHosts(2 * (ours.length + peers.length));
  try {
    const prober = await startProber(bench.client);
    const hosts = bench.hosts.values();
    const gates = await openGates(() => {
      const { value } = hosts.next();
      if (value === undefined) throw new Error("too few hosts");
      return value;
    }, directory);
    say("hosts are ready");
    const series: Series[] = [];
    const add = (quantity: string, scenario: string, subject: string, unit: string, value: number) => {
      series.push({ quantity, scenario, subject, unit, samples: [value], isMoreBetter: quantity === opened });
    };
    for (const now of [undefined, ...attacks]) {
      const scenario = now?.name ?? quiet;
      const isAtOnce = now === undefined || now.isForAllAtOnce;
      for (const group of isAtOnce ? [gates] : gates.map((gate) => [gate])) {
        const withstood = await withstand(group, now, { attacker: bench.client, prober, knocks: rounds });
        for (const [{ subject }, seen] of withstood) {
          add(opened, scenario, subject, "%", (100 * seen.knocks) / rounds);
          if (now !== undefined) add(byAttack, scenario, subject, "", seen.attack);
          if (seen.perSecond !== undefined) add(rate, scenario, subject, "/s", seen.perSecond);
          say(
            `${scenario}: ${subject}: ${seen.knocks} of ${rounds} knocks opened, the attack ${seen.attack}`,
          );
        }
      }
    }
    for (const [replay, openings] of Object.entries(await replayAll(gates, prober, rounds))) {
      for (const [index, gate] of gates.entries()) {
        add(byAttack, nameReplay(replay as Replay), gate.subject, "", openings[index] ?? Number.NaN);
      }
      say(nameReplay(replay as Replay));
    }
    const facts = {
      knockd: firstLine("knockd", "--version"),
      fwknop: firstLine("fwknopd", "--version"),
      letmein: firstLine(locateLetmein("letmeind"), "--version"),
    };
    return { series, facts };
  } finally {
    await bench.close();
  }
}
