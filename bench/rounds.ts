import type { Series } from "./figure";

export interface Subject {
  readonly name: string;
  /** How many turns the subject has in a round: more where a turn is cheap. Default 1. */
  readonly times?: number;
  /** Measures once. Returns one number for each quantity. */
  measure(round: number): Promise<readonly number[]>;
}

interface Quantity {
  readonly name: string;
  readonly unit: string;
  readonly isMoreBetter?: boolean;
}

export interface RoundsOptions {
  readonly quantities: readonly Quantity[];
  readonly scenario: string;
  readonly rounds: number;
  /** Rounds before the first that counts. Default 1. */
  readonly warmUp?: number;
  /** A subject that takes part twice: the ratio of its two results is the figure's noise. */
  readonly again?: string;
}

/** The name of a subject's second part in a run. */
export function nameAgain(subject: string): string {
  return `${subject}, again`;
}

export function isAgain(subject: string): boolean {
  return subject.endsWith(nameAgain(""));
}

/**
 * Measures subjects in turns, so that a disturbance of the machine hits all of them. Each round has its own order,
 * because a subject is slower behind one that fills the processor's caches. The orders are the same in each run.
 */
export async function measureRounds(
  subjects: readonly Subject[],
  options: RoundsOptions,
): Promise<readonly Series[]> {
  const { quantities, scenario, rounds, warmUp = 1, again } = options;
  const twice = subjects
    .filter(({ name }) => name === again)
    .map((subject) => ({ ...subject, name: nameAgain(subject.name) }));
  const all = [...subjects, ...twice].map((subject) => ({
    subject,
    samples: quantities.map((): number[] => []),
  }));
  const draw = makeDraw(1);
  for (let round = -warmUp; round < rounds; round += 1) {
    const turns = all.flatMap((one) => Array.from({ length: one.subject.times ?? 1 }, () => one));
    for (const { subject, samples } of shuffle(turns, draw)) {
      const values = await subject.measure(round);
      if (values.length !== quantities.length) throw new Error(`${subject.name}: ${values.length} values`);
      if (round < 0) continue;
      for (const [index, value] of values.entries()) samples[index]?.push(value);
    }
  }
  return all.flatMap(({ subject, samples }) =>
    quantities.map(({ name: quantity, ...rest }, index) => {
      return { quantity, scenario, subject: subject.name, ...rest, samples: samples[index] ?? [] };
    }),
  );
}

function shuffle<T>(list: readonly T[], draw: () => number): readonly T[] {
  return list
    .map((item) => ({ item, lot: draw() }))
    .sort((one, other) => one.lot - other.lot)
    .map(({ item }) => item);
}

/** Makes numbers from 0 to 1 that look random: a linear congruential generator modulo 2^32. */
function makeDraw(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
