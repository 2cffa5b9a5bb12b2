import { renderPolicy } from "../../../src/backends/render";
import type { Policy } from "../../../src/policy/policy";
import type { Series } from "../../unit/model/generate";
import type { ModelMachine, Variant } from "./model-machine";
import { type Disagreement, mostSeriesAtOnce, playSeries } from "./model-play";

const mostRounds = 60;

/** Finds a small policy and a short series on which model and kernel still disagree, and describes both. */
export async function explainDisagreement(
  machine: ModelMachine,
  variant: Variant,
  policy: Policy,
  found: Disagreement,
): Promise<string> {
  let smallest = { policy, found };
  for (let round = 0; round < mostRounds; round++) {
    const smaller =
      (await tryShorter(machine, variant, smallest.policy, smallest.found.series)) ??
      (await tryPlainer(machine, variant, smallest.policy, smallest.found.series));
    if (smaller === undefined) break;
    smallest = smaller;
  }
  return [
    `model and kernel (${variant}) disagree on the policy`,
    JSON.stringify(smallest.policy),
    "after these packets:",
    ...smallest.found.story,
    "with this ruleset:",
    renderPolicy(smallest.policy),
  ].join("\n");
}

type Smaller = { readonly policy: Policy; readonly found: Disagreement } | undefined;

/**
 * Tries the series without each half, each quarter and so on down to each move. These series run at the same time, each
 * from its own sources.
 */
async function tryShorter(
  machine: ModelMachine,
  variant: Variant,
  policy: Policy,
  series: Series,
): Promise<Smaller> {
  const { moves } = series;
  for (let size = Math.ceil(moves.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    const candidates = Array.from({ length: Math.ceil(moves.length / size) }, (_, index) => {
      return { ...series, moves: [...moves.slice(0, index * size), ...moves.slice((index + 1) * size)] };
    });
    for (let first = 0; first < candidates.length; first += mostSeriesAtOnce) {
      const some = candidates.slice(first, first + mostSeriesAtOnce);
      const [found] = (await playSeries(machine, variant, policy, some)).disagreements;
      if (found !== undefined) return { policy, found };
    }
  }
  return undefined;
}

async function tryPlainer(
  machine: ModelMachine,
  variant: Variant,
  policy: Policy,
  series: Series,
): Promise<Smaller> {
  for (const plainer of listPlainer(policy)) {
    const [found] = (await playSeries(machine, variant, plainer, [series])).disagreements;
    if (found !== undefined) return { policy: plainer, found };
  }
  return undefined;
}

function listPlainer(policy: Policy): readonly Policy[] {
  const { log, ...silent } = policy;
  return [
    ...(policy.gates.length === 1
      ? []
      : policy.gates.map((gate) => ({ ...policy, gates: policy.gates.filter((each) => each !== gate) }))),
    ...(log === undefined ? [] : [silent]),
    ...(policy.stealth ? [{ ...policy, stealth: false }] : []),
    ...(policy.scope === "prerouting" ? [{ ...policy, scope: "input" as const }] : []),
    ...(policy.allowFrom.length > 0 ? [{ ...policy, allowFrom: [] }] : []),
    ...(policy.denyFrom.length > 0 ? [{ ...policy, denyFrom: [] }] : []),
    ...policy.gates.flatMap((gate, index) => {
      const { knock } = gate;
      if (knock.kind === "token") return [];
      return knock.steps.slice(1).map((_, cut) => {
        const steps = knock.steps.filter((__, position) => position !== cut + 1);
        return { ...policy, gates: policy.gates.with(index, { ...gate, knock: { ...knock, steps } }) };
      });
    }),
  ];
}
