import type { Facts } from "./facts";
import type { Result } from "./judge";

/** One thing that is measured about Knockgate. */
export interface Figure {
  /** The word for `--only` and for names of chart files: words with hyphens. */
  readonly name: string;
  readonly title: string;
  /** How it is measured, in a few sentences of Markdown: what is counted, from when to when, and by what. */
  readonly method: string;
  /** Subjects that others are compared with, in the order of the table's columns: floors first, then peers. */
  readonly references: readonly string[];
  /** Knockgate's own subjects: a chart sets them off, and `--compare` looks only at them. */
  readonly ours: readonly string[];
  /** How often each subject is measured. */
  readonly rounds: { readonly quick: number; readonly full: number };
  readonly goals: readonly Goal[];
  readonly charts: readonly Chart[];
  /** A page of the documentation that a full run of this figure writes a part of. */
  readonly page?: Page;
  run(bench: Bench): Promise<Outcome>;
}

/** The part of a page between two comments that name the figure, see `writePages`. */
interface Page {
  /** Below the repository's root. */
  readonly file: string;
  render(result: Result, facts: Facts): string;
}

/** What a figure's run gets. */
export interface Bench {
  readonly isQuick: boolean;
  readonly rounds: number;
  /** A folder (0700) for the whole run. It is removed with the run. */
  readonly directory: string;
  /** Prints one line about how far the run is. */
  say(line: string): void;
}

export interface Outcome {
  readonly series: readonly Series[];
  /** What a reader must know of this run, such as a subject that was left out and why; Markdown. */
  readonly notes?: readonly string[];
  /** Pairs of a name and a value, such as a peer's version. */
  readonly facts?: Facts;
}

/** What was measured of one subject: one sample for each round, in the order of the rounds. */
export interface Series extends Place {
  /** "ms", "ns", "packets/s". It is printed behind values. */
  readonly unit: string;
  readonly samples: readonly number[];
  /** Whether a larger value is the better one. Default false. */
  readonly isMoreBetter?: boolean;
}

/** Which value of a figure: its quantity, scenario and subject. */
export interface Place {
  /** What is measured: "knock to open", "CPU per packet". */
  readonly quantity: string;
  /** Under what: "established traffic, 10 gates"; "" where a figure has only one scenario. */
  readonly scenario: string;
  /** Who: "nftables", "knockd". */
  readonly subject: string;
}

/** A bound for a ratio, or for a value where there is no `to`. */
export interface Goal {
  readonly claim: string;
  readonly of: Place;
  readonly to?: Place;
  /** Exactly one of the two is set. */
  readonly atMost?: number;
  readonly atLeast?: number;
  /**
   * Why the goal is missed, if that is known. Printed only when it is missed; the report also says when the reason is
   * not known.
   */
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
