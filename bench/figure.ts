import type { Facts } from "./facts";

/** One thing that Knockgate is measured by. */
export interface Figure {
  /** As `--only` takes it, and files of charts are named: words with hyphens. */
  readonly name: string;
  readonly title: string;
  /** How it is measured, in a few sentences of Markdown: what is counted, from when to when, and by what. */
  readonly method: string;
  /** Subjects that others are compared with, in the order of the table's columns: floors first, then peers. */
  readonly references: readonly string[];
  /** Subjects that are Knockgate's own: a chart sets them off, and `--compare` looks at them alone. */
  readonly ours: readonly string[];
  /** How often each subject is measured. */
  readonly rounds: { readonly quick: number; readonly full: number };
  readonly goals: readonly Goal[];
  readonly charts: readonly Chart[];
  run(bench: Bench): Promise<Outcome>;
}

/** What a figure's run gets. */
export interface Bench {
  readonly isQuick: boolean;
  readonly rounds: number;
  /** A folder (0700) of the whole run, that goes with it. */
  readonly directory: string;
  /** Prints one line about how far the run is. */
  say(line: string): void;
}

export interface Outcome {
  readonly series: readonly Series[];
  /** What a reader must know of this very run, such as a subject that was left out and why; Markdown. */
  readonly notes?: readonly string[];
  /** Pairs of a name and a value, such as a peer's version. */
  readonly facts?: Facts;
}

/** What was measured of one subject: a sample a round, in the order of the rounds. */
export interface Series extends Place {
  /** "ms", "ns", "packets/s"; it stands behind values. */
  readonly unit: string;
  readonly samples: readonly number[];
  /** Whether a larger value is the better one. Default false. */
  readonly isMoreBetter?: boolean;
}

/** Where a value stands in a figure. */
export interface Place {
  /** What is measured: "knock to open", "CPU per packet". */
  readonly quantity: string;
  /** Under what: "established traffic, 10 gates"; "" where a figure has one scenario alone. */
  readonly scenario: string;
  /** Who: "nftables", "knockd". */
  readonly subject: string;
}

/** A bound for a ratio, or for a value where there is no `to`. It is met when it holds; nothing else is said to be met. */
export interface Goal {
  readonly claim: string;
  readonly of: Place;
  readonly to?: Place;
  /** Exactly one of the two is set. */
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Why it is missed, where that is known: printed only if it is missed, and that it is not known, too. */
  readonly why?: string;
}

/** A chart of bars: one for each subject and scenario of a quantity. */
export interface Chart {
  readonly quantity: string;
  readonly title: string;
  /** Default: all. */
  readonly scenarios?: readonly string[];
  /** Whether each gridline is ten times the one before: for values that lie far apart. Default false. */
  readonly isLogarithmic?: boolean;
}
