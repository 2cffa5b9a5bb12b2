import { openLab } from "../../lab/lab";
import { ansiblePlaybook } from "../../tools/setup/ansible-place.mjs";
import { firstLine } from "../facts";
import type { Bench, Figure, Goal, Outcome, Series } from "../figure";
import { fitLine } from "../fit-line";
import { type EngineRun, prepareEngine } from "../fleet/engine";
import { type PushCost, parallel, preparePushes } from "../fleet/pushes";
import { measureRounds, type RoundsOptions, type Subject } from "../rounds";
import { chooseBallast } from "../scale/state-size";
import type { SubjectName } from "../scale/subjects";
import { median } from "../statistics";

const sizes = [1, 10, 50, 200];
const time = "time of a first rollout";
const ours = "Knockgate";
const engineAlone = "the engine's own no-op resources";
const sshAlone = "bare SSH pushes";
const floor = "floor: both";
const ballast = "no-op resources with as large a state";
const ansible = ["Ansible", "Ansible, pipelining"] as const;
const shell = "ssh in a loop";

const memories = ["provider", "engine", "program"] as const;
const quantities: RoundsOptions["quantities"] = [
  { name: time, unit: "s" },
  { name: "processor time of the hosts", unit: "s" },
  { name: "processor time of engine, provider and program", unit: "s" },
  ...memories.map((role) => ({ name: `memory of the ${role}`, unit: "MB" })),
];

/** How many hosts are tried with what takes minutes for more: what it costs a host is known by then. */
const mostHosts = new Map<string, number>([
  [ansible[0], 10],
  [ansible[1], 50],
  [shell, 10],
  [ballast, 50],
]);
const isTried = (subject: string, size: number) => size <= (mostHosts.get(subject) ?? size);

/** What it costs to bring a ruleset to many hosts for the first time. */
export const fleet: Figure = {
  name: "fleet",
  title: "A fleet",
  method:
    `Real hosts, each a network namespace with its own sshd, on the processors that the deployer has, too. ${ours} is \`pulumi up\` of a KnockFleet ` +
    `in one wave, by the real engine with a backend of files, ${parallel} operations at a time: each host is looked at, its gate loaded, proven closed ` +
    "and open, and confirmed. The floor is what the engine takes for as many resources that do nothing, plus the bare pushes: two SSH sessions a host " +
    `by Knockgate's own SSH library, \`nft -f -\` in the first, the knock and \`true\` in the second, ${parallel} hosts at a time. Ansible, from PyPI, runs \`copy\` ` +
    `and \`command: nft -f\` with ${parallel} forks, without facts; *pipelining* is its faster mode, which is off by default. The shell's loop is ` +
    "one `ssh HOST nft -f -` after the other. Neither proves anything, nor undoes what closes a host. Memory is the most that a process held.",
  references: [floor, ...ansible, shell, engineAlone, sshAlone, ballast],
  ours: [ours],
  rounds: { quick: 1, full: 2 },
  goals: sizes.flatMap((size): readonly Goal[] => {
    const place = (subject: string) => ({ quantity: time, scenario: nameSize(size), subject });
    return [
      {
        claim: `${nameSize(size)}: at most 1.3 times the floor`,
        of: place(ours),
        to: place(floor),
        atMost: 1.3,
        why: "Each host is looked at, tried and proven, on the same processors here; see bench/PROFILE.md.",
      },
      ...ansible
        .filter((name) => isTried(name, size))
        .map((name) => ({
          claim: `${nameSize(size)}: faster than ${name}`,
          of: place(ours),
          to: place(name),
          atMost: 1,
          why: "The start of the engine, the program and the provider is most of it; see bench/PROFILE.md.",
        })),
    ];
  }),
  charts: [{ quantity: time, title: "First rollout to a fleet", isLogarithmic: true }],
  run,
};

async function run({ rounds, isQuick, directory, say }: Bench): Promise<Outcome> {
  const chosen = isQuick ? [10] : sizes;
  const lab = await openLab({ hosts: chosen.at(-1) ?? 1 });
  say("hosts are ready");
  try {
    const engine = prepareEngine(lab, directory);
    const pushes = preparePushes(lab.hosts, lab.privateKey, directory);
    // Afterwards engine and provider are in the page cache. Without this the first subject to start them would pay for
    // all.
    const { state } = await engine("floor", 1, 0);
    const bytes = isQuick ? 0 : chooseBallast((await engine("wave", 1, 0)).state, state);
    const series: Series[] = [];
    for (const size of chosen) {
      const push = (name: string, act: () => Promise<PushCost>): Subject => ({
        name,
        measure: async () => {
          const { seconds, hostSeconds } = await act();
          return [seconds, hostSeconds, ...quantities.slice(2).map(() => Number.NaN)];
        },
      });
      const up = (name: string, subject: SubjectName, more: number): Subject => ({
        name,
        measure: async () => listCosts(await engine(subject, size, more)),
      });
      const subjects = [
        up(ours, "wave", 0),
        up(engineAlone, "floor", 0),
        push(sshAlone, () => pushes.bySsh2(size, parallel)),
        ...ansible.map((name, index) => push(name, () => pushes.byAnsible(size, parallel, index === 1))),
        push(shell, () => pushes.byShell(size)),
        ...(isQuick ? [] : [up(ballast, "ballast", bytes)]),
      ].filter(({ name }) => isTried(name, size));
      const count = countRounds(size, rounds);
      const own = await measureRounds(subjects, {
        quantities,
        scenario: nameSize(size),
        rounds: count,
        warmUp: 0,
      });
      series.push(...own.filter(({ samples }) => samples.some((value) => value > 0)), ...sumUp(own));
      say(`${nameSize(size)}: ${count} rounds done`);
    }
    return {
      series,
      notes: describe(chosen, rounds, series),
      facts: { ansible: firstLine(ansiblePlaybook, "--version") },
    };
  } finally {
    await lab.close();
  }
}

function nameSize(size: number): string {
  return size === 1 ? "1 host" : `${size} hosts`;
}

/** Measures large fleets less often. */
function countRounds(size: number, rounds: number): number {
  return size > 20 ? 1 : rounds;
}

function listCosts({ measured: { seconds, roles }, hostSeconds }: EngineRun): readonly number[] {
  const computed = Object.values(roles).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  return [seconds, hostSeconds, computed, ...memories.map((role) => roles[role].peakMegabytes)];
}

/** The floor, round by round. */
function sumUp(series: readonly Series[]): readonly Series[] {
  const samplesOf = (name: string) => series.find((one) => one.quantity === time && one.subject === name);
  const [engine, ssh] = [samplesOf(engineAlone), samplesOf(sshAlone)];
  if (engine === undefined || ssh === undefined) throw new Error("no floor");
  const samples = engine.samples.map((seconds, round) => seconds + (ssh.samples[round] ?? Number.NaN));
  return [{ ...engine, subject: floor, samples }];
}

function describe(chosen: readonly number[], rounds: number, series: readonly Series[]): readonly string[] {
  const counts = chosen.map((size) => `${nameSize(size)}: ${countRounds(size, rounds)}`);
  const slopes = memories.map((role) => {
    const points = chosen.map((size): [number, number] => {
      const one = series.find(({ quantity, scenario, subject }) => {
        return quantity === `memory of the ${role}` && scenario === nameSize(size) && subject === ours;
      });
      return [size, median(one?.samples ?? [])];
    });
    return `${role} ${fitLine(points).slope.toFixed(2)} MB`;
  });
  if (chosen.length < 2) return [];
  return [
    `Rounds: ${counts.join(", ")}.`,
    `Memory of one host more, as a straight line through these sizes has it: ${slopes.join(", ")}.`,
  ];
}
