import type { Series } from "./figure";

export interface Subject {
  readonly name: string;
  /** Measures once. One number, or one for each quantity. */
  measure(round: number): Promise<readonly number[]>;
}

export interface Quantity {
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
  /** A subject that takes part twice: what it is to itself is the figure's noise. */
  readonly again?: string;
}

/** The name of a subject's second part in a run. */
export function nameAgain(subject: string): string {
  return `${subject}, again`;
}

/**
 * Measures subjects in turns (A B C, B C A, C A B), so that whatever else the machine does meanwhile hits all of them, and
 * none is always behind the same other one.
 */
export async function measureRounds(
  subjects: readonly Subject[],
  options: RoundsOptions,
): Promise<readonly Series[]> {
  const { quantities, scenario, rounds, warmUp = 1, again } = options;
  const twice = subjects
    .filter(({ name }) => name === again)
    .map((subject) => ({ ...subject, name: nameAgain(subject.name) }));
  const all = [...subjects, ...twice];
  const samples = all.map(() => quantities.map((): number[] => []));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (let turn = 0; turn < all.length; turn += 1) {
      const place = (turn + round + warmUp) % all.length;
      const values = (await all[place]?.measure(round)) ?? [];
      if (round < 0) continue;
      for (const [index, value] of values.entries()) samples[place]?.[index]?.push(value);
    }
  }
  return all.flatMap(({ name: subject }, place) =>
    quantities.map(({ name: quantity, ...rest }, index) => {
      return { quantity, scenario, subject, ...rest, samples: samples[place]?.[index] ?? [] };
    }),
  );
}
