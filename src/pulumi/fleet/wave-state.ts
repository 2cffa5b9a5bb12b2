import { z } from "zod";
import { digestText } from "../../policy/digest.js";
import type { Finding } from "../../policy/finding.js";
import { describeIssues } from "../../policy/shape.js";
import type { Properties } from "../properties.js";
import { lastChangeSchema } from "../ruleset/state.js";
import type { WaveSummary } from "./wave-summary.js";

const keptShape = {
  fleet: z.string(),
  /** The wave's number, from 1. */
  wave: z.int(),
  of: z.int(),
  maxFailures: z.int(),
  pauseSeconds: z.number(),
  onFailure: z.enum(["halt", "undo"]),
  /** What each host's own resource reports about its last change. Unknown fields, of a newer version, are kept. */
  hosts: z.array(
    z.looseObject({
      name: z.string(),
      lastChange: lastChangeSchema,
      /** Empty when the change succeeded. */
      failure: z.string(),
    }),
  ),
};

/** A wave's inputs, from its fleet. */
const inputsSchema = z.object({
  ...keptShape,
  /**
   * The id and a part of the state of each host's own resource. Needed only to restore hosts, and never kept in the
   * state.
   */
  rulesets: z
    .record(z.string(), z.object({ id: z.string(), state: z.record(z.string(), z.unknown()) }))
    .default({}),
});

const outputShape = {
  /** For people. A run that changes no host keeps the earlier one. */
  summary: z.custom<WaveSummary>(),
  /** The restored hosts, and the change of each that was undone. */
  undone: z.array(z.object({ name: z.string(), at: z.string() })).readonly(),
};

const stateSchema = z.object({
  fleet: keptShape.fleet,
  /** What `digestWave` makes of the inputs: the engine stores them beside the state. */
  given: z.string(),
  ...outputShape,
});

export type WaveInputs = Readonly<z.output<typeof inputsSchema>>;
/** The state that the engine keeps for a wave. */
export type WaveState = Readonly<z.output<typeof stateSchema>>;
export type Undone = WaveState["undone"][number];

export const waveNames: readonly string[] = Object.keys({ ...inputsSchema.shape, ...stateSchema.shape });

const comparedSchema = z.object(keptShape);

/** Digests the inputs whose change is a diff. */
export function digestWave(news: Properties): string {
  return digestText(JSON.stringify(comparedSchema.parse(news))).slice(0, 16);
}

/** Checks the shape of a wave's inputs, all of which must be known. */
export function findWrongWave(news: Properties): readonly Finding[] {
  const { error } = inputsSchema.safeParse(news);
  return describeIssues(error?.issues ?? [], { schema: inputsSchema, rule: "arguments-shape" });
}

/** Reads inputs that `check` has accepted. Keeps Pulumi's own properties. */
export function readWaveInputs(news: Properties): WaveInputs {
  return inputsSchema.loose().parse(news);
}

/** Reads what a new state keeps from an earlier one; a new wave has none. */
export function readEarlierWave(olds: Properties): Pick<WaveState, "undone"> & Partial<WaveState> {
  const { undone = [], summary } = stateSchema.pick({ undone: true, summary: true }).partial().parse(olds);
  return { undone, ...(summary === undefined ? {} : { summary }) };
}
