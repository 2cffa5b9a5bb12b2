import { lintPolicy } from "../../src/check/lint";
import { parsePolicy } from "../../src/policy/parse";
import { renderPolicy } from "../../src/render/render";
import type { Bench, Figure, Goal, Outcome, Series } from "../figure";
import { fitLine } from "../fit-line";
import { measureRounds } from "../rounds";

const quantity = "parse, lint and render";
const counts = [1, 100, 200, 400, 600, 800, 1_000];
const backends = ["nftables", "iptables"] as const;
type Backend = (typeof backends)[number];

/** The pure part: from what a program says to the text that a host loads, by the number of gates. */
export const policyText: Figure = {
  name: "policy-text",
  title: "From a policy to its ruleset",
  method:
    "Parse, lint and render a policy of 1 to 1,000 gates of three steps each, in turns, in one process of Node, and its processor time. The slope is that of the " +
    "straight line of least squares through the fastest of the rounds, which the collector of garbage hit least; R² tells how straight they lie, and the ratio of the time of a gate at 1,000 to " +
    "that at 100 gates is 1 where it is linear.",
  references: [],
  ours: [...backends],
  rounds: { quick: 9, full: 30 },
  goals: backends.flatMap((subject): readonly Goal[] => [
    {
      claim: `${subject}: linear in the number of gates (R²)`,
      of: { quantity: "straightness of that line (R²)", scenario: "", subject },
      atLeast: 0.99,
    },
    {
      claim: `${subject}: a gate among 1,000 costs about what one among 100 does`,
      of: { quantity: "time of a gate among 1,000 to one among 100", scenario: "", subject },
      atMost: 1.5,
    },
  ]),
  charts: [{ quantity, title: "Parse, lint and render a policy" }],
  run,
};

async function run({ rounds }: Bench): Promise<Outcome> {
  const subjects = counts.flatMap((count) =>
    backends.map((backend) => {
      const raw = makePolicy(backend, count);
      return { name: JSON.stringify([backend, count]), measure: async () => [timeText(raw)] };
    }),
  );
  const measured = await measureRounds(subjects, {
    quantities: [{ name: quantity, unit: "ms" }],
    scenario: "",
    rounds,
    warmUp: 5,
  });
  const all: Series[] = measured.map((one) => {
    const [subject, count]: [Backend, number] = JSON.parse(one.subject);
    return { ...one, subject, scenario: `${count} gate${count === 1 ? "" : "s"}` };
  });
  const points = new Map(
    backends.map((backend) => {
      const own = measured.filter(({ subject }) => subject.startsWith(`["${backend}"`));
      return [backend, own.map(({ samples }, index) => [counts[index] ?? 0, Math.min(...samples)] as const)];
    }),
  );
  for (const backend of backends) {
    const own = points.get(backend) ?? [];
    const { slope, straightness } = fitLine(own);
    const each = (count: number) => (own.find(([gates]) => gates === count)?.[1] ?? Number.NaN) / count;
    const place = { scenario: "", subject: backend };
    all.push(
      { ...place, quantity: "slope: time for each gate more", unit: "ms", samples: [slope] },
      { ...place, quantity: "straightness of that line (R²)", unit: "", samples: [straightness] },
      {
        ...place,
        quantity: "time of a gate among 1,000 to one among 100",
        unit: "",
        samples: [each(1_000) / each(100)],
      },
    );
  }
  return { series: all };
}

function timeText(raw: object): number {
  const before = process.cpuUsage();
  const reading = parsePolicy(raw);
  if (reading.kind !== "policy") throw new Error(JSON.stringify(reading).slice(0, 300));
  lintPolicy(reading.policy);
  renderPolicy(reading.policy);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function makePolicy(backend: Backend, count: number) {
  const gates = Array.from({ length: count }, (_, index) => ({
    name: `gate-${index}`,
    protect: [{ tcp: `${2_000 + index}` }],
    knock: { steps: [{ tcp: 20_000 + index }, { udp: 40_000 + index }, { tcp: 30_000 + index }] },
  }));
  return { name: "edge", backend, gates };
}
