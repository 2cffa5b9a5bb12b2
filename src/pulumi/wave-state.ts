import { z } from "zod";
import type { WaveSummary } from "../plan/wave-summary.js";
import type { Finding } from "../policy/finding.js";
import { describeIssues } from "../policy/shape.js";
import type { Properties } from "./properties.js";
import { lastChangeSchema } from "./state.js";

const keptShape = {
  fleet: z.string(),
  /** From 1. */
  wave: z.int(),
  of: z.int(),
  maxFailures: z.int(),
  pauseSeconds: z.number(),
  onFailure: z.enum(["halt", "undo"]),
  /** What each host's own resource says of its last change. A newer one may say more: that is kept. */
  hosts: z.array(
    z.looseObject({
      name: z.string(),
      lastChange: lastChangeSchema,
      /** Empty: none. */
      failure: z.string(),
    }),
  ),
};

/** What a wave is told by its fleet. */
const inputsSchema = z.object({
  ...keptShape,
  /** What each host's own resource is told and holds: needed only to put hosts back, and never in the state. */
  rulesets: z
    .record(z.string(), z.object({ id: z.string(), state: z.record(z.string(), z.unknown()) }))
    .default({}),
});

const outputShape = {
  /** Shown to people, and never read again. */
  summary: z.custom<WaveSummary>(),
  /** Hosts that were put back, and the change that each was put back from. */
  undone: z.array(z.object({ name: z.string(), at: z.string() })).readonly(),
};

const stateSchema = z.object({ ...keptShape, ...outputShape });

export type WaveInputs = Readonly<z.output<typeof inputsSchema>>;
/** What the engine keeps of a wave. */
export type WaveState = Readonly<z.output<typeof stateSchema>>;
export type Undone = WaveState["undone"][number];

/** Those inputs that the state keeps, and that a change is seen by. */
export const keptNames: readonly string[] = Object.keys(keptShape);

export const waveNames: readonly string[] = Object.keys({ ...inputsSchema.shape, ...outputShape });

/** Finds what is wrong with the shape of a wave's inputs, all of which are known. */
export function findWrongWave(news: Properties): readonly Finding[] {
  const { error } = inputsSchema.safeParse(news);
  return describeIssues(error?.issues ?? [], { schema: inputsSchema, rule: "arguments-shape" });
}

/** Reads what `check` has found right before. Properties of Pulumi's own go along. */
export function readWaveInputs(news: Properties): WaveInputs {
  return inputsSchema.loose().parse(news);
}

/** Reads what a new state takes over from an earlier one; a new wave has none. */
export function readEarlierWave(olds: Properties): Pick<WaveState, "undone"> & Partial<WaveState> {
  const { undone = [], summary } = stateSchema.pick({ undone: true, summary: true }).partial().parse(olds);
  return { undone, ...(summary === undefined ? {} : { summary }) };
}
