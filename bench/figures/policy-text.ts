import { renderPolicy } from "../../src/backends/render";
import { lintPolicy } from "../../src/lint/lint";
import { parsePolicy } from "../../src/policy/parse";
import type { Bench, Figure, Goal, Outcome, Series } from "../figure";
import { fitLine } from "../fit-line";
import { measureRounds } from "../rounds";
import { median } from "../statistics";

const quantity = "parse, lint and render";
const each = "time of a gate of these";
const straightness = "straightness of the line (R²)";
const counts = [1, 100, 200, 400, 600, 800, 1_000];
const quickCounts = [1, 100, 400, 1_000];
/** Each measurement handles at least this many gates, except that of a single gate. */
const gatesAtOnce = 1_000;
const backends = ["nftables", "iptables"] as const;
type Backend = (typeof backends)[number];

/** The pure part: from a program's policy to the text that a host loads, by the number of gates. */
export const policyText: Figure = {
  name: "policy-text",
  title: "From a policy to its ruleset",
  method:
    "Parse, lint and render a policy of 1 to 1,000 gates of three steps each, in turns, in one process of Node, and its processor time, with that of the collector of garbage. " +
    "What has less than 1,000 gates is done as often as makes 1,000, so that the collector comes at each size; one gate alone is done once. " +
    "The slope is that of the straight line of least squares through the medians, and R² tells how straight they lie.",
  references: [],
  ours: [...backends],
  rounds: { quick: 8, full: 8 },
  goals: backends.flatMap((subject): readonly Goal[] => [
    {
      claim: `${subject}: linear in the number of gates (R²)`,
      of: { quantity: straightness, scenario: "", subject },
      atLeast: 0.99,
      why: "The sizes are measured one after another. On a machine that others use, too, one of them can be off by a fifth, which no bend of the line is.",
    },
    {
      claim: `${subject}: a gate among 1,000 costs about what one among 100 does`,
      of: { quantity: each, scenario: nameScenario(1_000), subject },
      to: { quantity: each, scenario: nameScenario(100), subject },
      atMost: 1.5,
      why: "The larger a policy is, the more of it is still in use, and copied, whenever the collector of garbage comes; with a heap that it never comes to, a gate costs the same.",
    },
  ]),
  charts: [{ quantity, title: "Parse, lint and render a policy" }],
  run,
};

async function run({ rounds, isQuick }: Bench): Promise<Outcome> {
  const subjects = (isQuick ? quickCounts : counts).flatMap((count) =>
    backends.map((backend) => {
      const raw = makePolicy(backend, count);
      return { name: JSON.stringify([backend, count]), measure: async () => timeText(raw, count) };
    }),
  );
  const measured = await measureRounds(subjects, {
    quantities: [
      { name: quantity, unit: "ms" },
      { name: each, unit: "µs" },
    ],
    scenario: "",
    rounds,
    warmUp: 2,
  });
  const all = measured.map((one): Series & { readonly count: number } => {
    const [subject, count]: [Backend, number] = JSON.parse(one.subject);
    return { ...one, subject, scenario: nameScenario(count), count };
  });
  const lines = backends.flatMap((subject): readonly Series[] => {
    const own = all.filter((one) => one.quantity === quantity && one.subject === subject);
    const line = fitLine(own.map(({ count, samples }) => [count, median(samples)]));
    const place = { scenario: "", subject };
    return [
      { ...place, quantity: "slope: time for each gate more", unit: "ms", samples: [line.slope] },
      { ...place, quantity: straightness, unit: "", samples: [line.straightness] },
    ];
  });
  return { series: [...all.map(({ count: _, ...one }) => one), ...lines] };
}

function nameScenario(count: number): string {
  return `${count} gate${count === 1 ? "" : "s"}`;
}

/** Processor time in milliseconds for the policy, and in microseconds for each of its gates. */
function timeText(raw: object, count: number): readonly [number, number] {
  const times = count === 1 ? 1 : Math.ceil(gatesAtOnce / count);
  const before = process.cpuUsage();
  for (let time = 0; time < times; time += 1) makeText(raw);
  const { user, system } = process.cpuUsage(before);
  const microseconds = (user + system) / times;
  return [microseconds / 1_000, microseconds / count];
}

function makeText(raw: object): void {
  const reading = parsePolicy(raw);
  if (reading.kind !== "policy") throw new Error(JSON.stringify(reading).slice(0, 300));
  lintPolicy(reading.policy);
  renderPolicy(reading.policy);
}

function makePolicy(backend: Backend, count: number) {
  const gates = Array.from({ length: count }, (_, index) => ({
    name: `gate-${index}`,
    protect: [{ tcp: `${2_000 + index}` }],
    knock: { steps: [{ tcp: 20_000 + index }, { udp: 40_000 + index }, { tcp: 30_000 + index }] },
  }));
  return { name: "edge", backend, gates };
}
