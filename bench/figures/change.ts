import { openLab } from "../../lab/lab";
import { countCommands } from "../change/commands";
import { type Changer, floors, openChangers, ours, type Way } from "../change/hosts";
import { noOp, openPreviews } from "../change/preview";
import type { Bench, Figure, Goal, Outcome, Series } from "../figure";
import { readHostSeconds } from "../fleet/host-time";
import { openSlowLink, type SlowLink } from "../hosts/slow-link";
import { measureRounds, type RoundsOptions } from "../rounds";

const roundTripMs = 20;
const time = "time";
const aside = "Knockgate, the closed check's waiting aside";
const waiting = "waiting for the closed gate's silence alone";
const scenarios = {
  createNear: "first create",
  updateNear: "update through the gate",
  createFar: `first create, ${roundTripMs} ms away`,
  updateFar: `update through the gate, ${roundTripMs} ms away`,
  preview: "preview by the engine, nothing changed",
} as const;
const packets = "packets to the host";
const computing = "processor time of the host";
const above = "Knockgate, above the floor";
/** The kernel tells a process's time in steps of 10 ms, so one value is the mean of several rounds. */
const roundsInOne = 8;

const timed: RoundsOptions["quantities"] = [
  { name: time, unit: "ms" },
  { name: waiting, unit: "ms" },
  { name: computing, unit: "ms" },
];
const counted: RoundsOptions["quantities"] = [
  { name: "SSH connections", unit: "" },
  { name: "commands over SSH", unit: "" },
  { name: "round trips", unit: "" },
  { name: "bytes sent", unit: "bytes" },
  { name: "bytes received", unit: "bytes" },
];

/** What a change on one host costs, compared with the least work that brings a ruleset there. */
export const change: Figure = {
  name: "change",
  title: "A change on one host",
  method:
    "A host with a real sshd; one gate before SSH, a knock of three SYNs. Knockgate's change is all six steps: look at the host, stage, arm, load, " +
    "prove closed and open, confirm. The floor is two SSH sessions, by Knockgate's own SSH library or by OpenSSH's client: `nft -f -` with the same " +
    "ruleset in the first, `true` in the second, which shows that the host can still be reached; before each session the knock that it needs. " +
    "That proves no closed gate, and undoes nothing. Knockgate waits for the closed gate's silence: *aside* is its time without the milliseconds " +
    "in which it did nothing else. For what is “away”, a program carries each packet after half of that time, since not every kernel has netem, " +
    "and counts: connections that the host accepted, of which probes of open ports are some; bytes with the IP header; a round trip is whenever something that is more than an " +
    "acknowledgement leaves for the host after such a thing has come from it. Commands are counted at the SSH library, for OpenSSH by hand. " +
    `The host's processor time includes its sshd's and is the mean of ${roundsInOne} rounds; *above the floor* is what it has more than with ` +
    `${floors.ssh2}. A preview is one of the real engine, beside one of a resource that does nothing.`,
  references: [floors.ssh2, floors.openSsh, noOp],
  ours: [ours, aside, above],
  rounds: { quick: 4, full: 16 },
  goals: [
    {
      claim: "a preview in which nothing changed sends the host no packet",
      of: { quantity: packets, scenario: scenarios.preview, subject: ours },
      atMost: 0,
    },
    ...[scenarios.updateNear, scenarios.updateFar].flatMap((scenario): readonly Goal[] => [
      {
        claim: `${scenario}: at most 1.5 times the floor, the closed check's waiting aside`,
        of: { quantity: time, scenario, subject: aside },
        to: { quantity: time, scenario, subject: floors.ssh2 },
        atMost: 1.5,
        why: "The host is looked at, and tries the new ruleset and the way back in a transaction of its kernel before it loads; see docs/cost-of-a-change.md.",
      },
    ]),
    ...[scenarios.createNear, scenarios.updateNear].map((scenario): Goal => {
      return {
        claim: `${scenario}: the host computes at most 60 ms more than for the floor`,
        of: { quantity: computing, scenario, subject: above },
        atMost: 60,
        why: "Each promise has its price: see docs/cost-of-a-change.md.",
      };
    }),
  ],
  charts: [
    { quantity: time, title: "A change on one host", scenarios: Object.values(scenarios).slice(0, 4) },
  ],
  run,
};

async function run({ rounds, isQuick, directory, say }: Bench): Promise<Outcome> {
  const lab = await openLab({ hosts: 4 });
  const links: SlowLink[] = [];
  try {
    for (const [index, host] of lab.hosts.entries())
      links.push(await openSlowLink(host, index + 1, roundTripMs));
    const changers = openChangers(lab, links, directory);
    const few = isQuick ? 2 : 6;
    const measure = async (scenario: string, way: Way, isFirst: boolean, count: number) => {
      const quantities = way === "near" ? timed : [...timed, ...counted];
      const subjects = changers.map((changer) => ({
        name: changer.name,
        measure: () => measureChange(changer, way, isFirst),
      }));
      const series = await measureRounds(subjects, { quantities, scenario, rounds: count });
      say(`${scenario}: done`);
      return series.flatMap((one) => setAside(one, series)).flatMap((one, _, all) => compareTimes(one, all));
    };
    const series = [
      ...(await measure(scenarios.createNear, "near", true, rounds)),
      ...(await measure(scenarios.updateNear, "near", false, rounds)),
      ...(isQuick ? [] : await measure(scenarios.createFar, "far", true, few)),
      ...(await measure(scenarios.updateFar, "far", false, few)),
    ];
    const previews = await openPreviews(lab, links.at(-1), directory);
    const previewed = await measureRounds(previews, {
      quantities: [
        { name: time, unit: "ms" },
        { name: packets, unit: "" },
      ],
      scenario: scenarios.preview,
      rounds: few,
      warmUp: 0,
    });
    return {
      series: [...series, ...previewed.filter((one) => one.quantity === time || one.subject === ours)],
      notes: [`What is away, and the preview: ${few} rounds.`],
    };
  } finally {
    for (const link of links) await link.close();
    await lab.close();
  }
}

async function measureChange(changer: Changer, way: Way, isFirst: boolean): Promise<readonly number[]> {
  if (isFirst) await changer.clear();
  const { link } = changer;
  await link.count();
  const commandsBefore = countCommands();
  const hostsBefore = readHostSeconds();
  const startedMs = performance.now();
  const waitedMs = await changer.change(way);
  const ms = performance.now() - startedMs;
  const hostMs = (readHostSeconds() - hostsBefore) * 1_000;
  const commands = changer.name === floors.openSsh ? 2 : countCommands() - commandsBefore;
  const { connections, turns, bytesSent, bytesReceived } = await link.count();
  return way === "near"
    ? [ms, waitedMs, hostMs]
    : [ms, waitedMs, hostMs, connections, commands, turns, bytesSent, bytesReceived];
}

/** Adds a series of Knockgate's time without its waiting. The other subjects do not wait. */
function setAside(one: Series, all: readonly Series[]): readonly Series[] {
  if (one.quantity === waiting) return one.subject === ours ? [one] : [];
  if (one.quantity !== time || one.subject !== ours) return [one];
  const waited = all.find(({ quantity, subject }) => quantity === waiting && subject === ours);
  const samples = one.samples.map((ms, round) => ms - (waited?.samples[round] ?? Number.NaN));
  return [one, { ...one, subject: aside, samples }];
}

/** Joins rounds of the host's time, and adds how much more Knockgate's have than the floor's. */
function compareTimes(one: Series, all: readonly Series[]): readonly Series[] {
  if (one.quantity !== computing) return [one];
  const samples = joinRounds(one.samples);
  const floor = all.find(({ quantity, subject }) => quantity === computing && subject === floors.ssh2);
  if (one.subject !== ours || floor === undefined) return [{ ...one, samples }];
  const floorSamples = joinRounds(floor.samples);
  const more = samples.map((ms, index) => ms - (floorSamples[index] ?? Number.NaN));
  return [
    { ...one, samples },
    { ...one, subject: above, samples: more },
  ];
}

function joinRounds(samples: readonly number[]): readonly number[] {
  const count = Math.max(1, Math.floor(samples.length / roundsInOne));
  const size = samples.length / count;
  return Array.from({ length: count }, (_, index) => {
    const part = samples.slice(Math.round(index * size), Math.round((index + 1) * size));
    return part.reduce((sum, ms) => sum + ms, 0) / part.length;
  });
}
