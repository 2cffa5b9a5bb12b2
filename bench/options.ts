import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Figure } from "./figure";
import { root } from "./root";

/** The options of one run. */
export interface Options {
  readonly isQuick: boolean;
  /** The figures to measure, in the order of the report. */
  readonly figures: readonly Figure[];
  /** Whether figures were named. */
  readonly isNamed: boolean;
  /** How many rounds to measure, instead of the figure's own number. */
  readonly rounds: number | undefined;
  /** The file with the stored results to compare with. */
  readonly compareWith: string | undefined;
  /** The folder for this run's results. */
  readonly out: string | undefined;
}

/** Reads the words behind `npm run bench --`, as main.ts describes them. */
export function readOptions(words: readonly string[], figures: readonly Figure[]): Options {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      rounds: { type: "string" },
      compare: { type: "boolean", default: false },
      out: { type: "string" },
    },
  });
  const [file = join(root, "bench", "results.json"), ...more] = positionals;
  if (more.length > 0 || (positionals.length > 0 && !values.compare))
    throw new Error(`unknown: ${positionals.join(" ")}`);
  const isNamed = values.only !== undefined;
  if (values.rounds !== undefined && (!isNamed || !/^[1-9]\d{0,3}$/.test(values.rounds)))
    throw new Error("--rounds: a number from 1 to 9999, for the figures that --only names");
  return {
    isQuick: values.quick,
    figures: chooseFigures(values.only, figures),
    isNamed,
    rounds: values.rounds === undefined ? undefined : Number(values.rounds),
    compareWith: values.compare ? file : undefined,
    out: values.out,
  };
}

function chooseFigures(only: string | undefined, figures: readonly Figure[]): readonly Figure[] {
  if (only === undefined) return figures;
  const names = only.split(",");
  const known = figures.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--only: ${unknown} is none of ${known.join(", ")}`);
  return figures.filter(({ name }) => names.includes(name));
}
