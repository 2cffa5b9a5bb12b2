import type { LabHost } from "../../lab/host";
import { type Lab, openLab } from "../../lab/lab";
import { firstLine } from "../facts";
import type { Bench, Figure, Goal, Outcome, Place, Series } from "../figure";
import { type EngineRun, prepareEngine } from "../fleet/engine";
import { parallel } from "../fleet/pushes";
import { measureRounds, type RoundsOptions, type Subject } from "../rounds";
import type { TransportName } from "../scale/subjects";
import { openTransportChanger, type TransportChanger } from "../transports/changes";

const names = ["ssh2", "openssh"] as const;
const [library, program] = names;
const size = 50;
const otherParallels = [4, 32];

const time = "time";
const processor = "processor time of the deployer, its ssh included";
const processorOfSsh = "processor time of ssh and its keepers";
const memory = "memory of the process that logs in, its ssh included";
const memoryOfSsh = "memory of ssh and its keepers";
const count = "processes of ssh and its keepers at a time";
const processorOfHosts = "processor time of the hosts";

const spent: RoundsOptions["quantities"] = [time, processor, processorOfSsh].map((name) => {
  return { name, unit: "s" };
});
const held: RoundsOptions["quantities"] = [
  ...[memory, memoryOfSsh].map((name) => ({ name, unit: "MB" })),
  { name: count, unit: "" },
];

const oneChange = "an update through the gate";
const nameFleet = (hosts: number, atATime: number) => `${hosts} hosts, ${atATime} at a time`;
const scenarios = [oneChange, nameFleet(size, parallel)];
const fleets = [...otherParallels, parallel].sort((one, other) => one - other);

/** How many times as much openssh may cost as ssh2. */
const bounds: readonly (readonly [quantity: string, most: number, why: string])[] = [
  [
    time,
    1.5,
    "Each login starts ssh and its keeper, and each command a further ssh; they start on the processors that the hosts have, too.",
  ],
  [
    processor,
    2,
    "Each login and each command starts a program, which loads its libraries and reads its configuration anew.",
  ],
  [memory, 1.25, "Each host has processes of its own while it is changed."],
];

/** What the transport openssh costs, compared with ssh2. */
export const transports: Figure = {
  name: "transports",
  title: "The two SSH transports",
  method:
    'The same work by `transport: "ssh2"`, a library in the process that logs in, and by `transport: "openssh"`, this machine\'s ssh(1) below a small sh, its keeper. ' +
    "A change is an update through the gate by the operations of Knockgate's resource, in a process of plain Node that lives on from round to round. It waits for the closed gate's silence, " +
    "which takes as long by either: see “A change on one host”. A fleet is `pulumi up` of a KnockFleet in one wave, as in “A fleet”, with as many operations at a time as the scenario says. " +
    "Processor time is what the kernel counted: for a change of the process that logs in, for a fleet of engine, provider and program, and in both of all that logged in for them. " +
    "Memory is the most at a time, looked at every 5 ms for a change, in rounds of their own, and every 200 ms for a fleet. It is what the process that logs in (for a fleet: the provider) has resident, plus, " +
    "of each process below it, the proportional share (PSS): what ssh processes share counts once, and what they share with the hosts' sshd, which here run on the same machine, counts in part.",
  references: [library],
  ours: [program],
  rounds: { quick: 4, full: 10 },
  goals: scenarios.flatMap((scenario) =>
    bounds.map(([quantity, atMost, why]): Goal => {
      const place = (subject: TransportName): Place => ({ quantity, scenario, subject });
      const claim = `${scenario}: ${quantity}: openssh at most ${atMost} times ssh2`;
      return { claim, of: place(program), to: place(library), atMost, why };
    }),
  ),
  charts: [
    {
      quantity: time,
      title: "First rollout to a fleet, by transport",
      scenarios: fleets.map((atATime) => nameFleet(size, atATime)),
    },
    {
      quantity: memory,
      title: "Memory of a first rollout, by transport",
      scenarios: fleets.map((atATime) => nameFleet(size, atATime)),
    },
  ],
  run,
};

async function run({ rounds, isQuick, directory, say }: Bench): Promise<Outcome> {
  const hosts = isQuick ? 10 : size;
  const lab = await openLab({ hosts });
  say("hosts are ready");
  try {
    const changes = await measureChanges(lab, rounds);
    say(`${oneChange}: done`);
    const rollouts = await measureFleets(lab, directory, isQuick, say);
    return {
      // The library has no ssh.
      series: [...changes, ...rollouts].filter(({ samples }) => samples.some((value) => value > 0)),
      notes: isQuick ? [] : ["Fleets: one round."],
      facts: { ssh: firstLine("ssh", "-V") },
    };
  } finally {
    await lab.close();
  }
}

async function measureChanges(lab: Lab, rounds: number): Promise<readonly Series[]> {
  const changers: TransportChanger[] = [];
  try {
    for (const [index, name] of names.entries()) {
      changers.push(await openTransportChanger(name, takeHost(lab, index), lab.privateKey));
    }
    const scenario = oneChange;
    const timed = changers.map((changer): Subject => {
      return {
        name: changer.name,
        measure: async () => {
          const { seconds, ownSeconds, childSeconds } = await changer.change();
          return [seconds, ownSeconds + childSeconds, childSeconds];
        },
      };
    });
    const watched = changers.map((changer): Subject => {
      return {
        name: changer.name,
        measure: async () => {
          const { peakWithTopMegabytes, peakMegabytes, peakCount } = await changer.watchChange();
          return [peakWithTopMegabytes, peakMegabytes, peakCount];
        },
      };
    });
    return [
      ...(await measureRounds(timed, { quantities: spent, scenario, rounds })),
      ...(await measureRounds(watched, { quantities: held, scenario, rounds })),
    ];
  } finally {
    for (const changer of changers) await changer.close();
  }
}

function takeHost(lab: Lab, index: number): LabHost {
  const host = lab.hosts[index];
  if (host === undefined) throw new Error("too few hosts");
  return host;
}

async function measureFleets(
  lab: Lab,
  directory: string,
  isQuick: boolean,
  say: Bench["say"],
): Promise<readonly Series[]> {
  const engine = prepareEngine(lab, directory);
  const hosts = lab.hosts.length;
  // Afterwards engine and provider are in the page cache.
  await engine("floor", 1, 0);
  const series: Series[] = [];
  for (const atATime of isQuick ? [parallel] : fleets) {
    const isCompared = atATime === parallel;
    const subjects = (isCompared ? names : [program]).map((transport): Subject => {
      const options = { parallel: atATime, transport };
      return { name: transport, measure: async () => listCosts(await engine("wave", hosts, 0, options)) };
    });
    const scenario = nameFleet(hosts, atATime);
    const quantities = [...spent, ...held, { name: processorOfHosts, unit: "s" }];
    series.push(...(await measureRounds(subjects, { quantities, scenario, rounds: 1, warmUp: 0 })));
    say(`${scenario}: done`);
  }
  return series;
}

function listCosts({
  measured: { seconds, roles, belowProvider },
  hostSeconds,
}: EngineRun): readonly number[] {
  const own = Object.values(roles).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const { seconds: below, peakWithTopMegabytes, peakMegabytes, peakCount } = belowProvider;
  return [seconds, own + below, below, peakWithTopMegabytes, peakMegabytes, peakCount, hostSeconds];
}
