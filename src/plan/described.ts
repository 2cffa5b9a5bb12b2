import { z } from "zod";
import { parseJson } from "./json.js";
import type { LoadedTable, ObservedChain, ObservedSet } from "./observed.js";

/** What nft describes of a policy's own table, by which a load knows what it can keep. */
export type Description = Pick<LoadedTable, "sets" | "chains" | "counters" | "isUndescribed">;

const name = z.string();
/** A single one is a word of its own in the JSON of nft 1.1.4. */
const words = z.union([z.string().transform((word) => [word]), z.array(z.string())]);

const ownSchema = z.object({
  set: z
    .object({ name, type: z.unknown(), size: z.number().optional(), flags: words.default([]) })
    .optional(),
  counter: z.object({ name }).optional(),
  chain: z
    .object({
      name,
      hook: z.string().optional(),
      // What is no number is a priority that we never gave.
      prio: z.number().optional().catch(Number.NaN),
    })
    .optional(),
});

/** Where nft says nothing that can be read. */
const undescribed: Description = { isUndescribed: true, sets: [], chains: [], counters: [] };

/**
 * Reads what `nft -j list table` says of one table (libnftables-json(5)): strictly, because a load is planned by it.
 * What it says of other tables is not looked at.
 */
export function readDescription(json: string, table: string): Description {
  const own = listEntries(json).filter((entry) => isOf(entry, table));
  const reading = z.array(ownSchema).safeParse(own);
  if (own.length === 0 || !reading.success) return undescribed;
  return {
    sets: reading.data.flatMap(({ set }): readonly ObservedSet[] => {
      if (set === undefined) return [];
      const { name: setName, type, size, flags } = set;
      const key = Array.isArray(type) ? type.join(" . ") : `${type}`;
      return [{ name: setName, type: key, flags, ...(size === undefined ? {} : { size }) }];
    }),
    chains: reading.data.flatMap(({ chain }): readonly ObservedChain[] => {
      return chain === undefined ? [] : [{ name: chain.name, hook: chain.hook, priority: chain.prio }];
    }),
    counters: reading.data.flatMap(({ counter }) => (counter === undefined ? [] : [counter.name])),
  };
}

/**
 * Lists the entries of what nft said as JSON: one text, or one in each line. A text that can't be read, because nft ended
 * half-way or never writes such a thing, has none.
 */
export function listEntries(json: string): readonly unknown[] {
  const whole = parseJson(json);
  const texts = whole === undefined ? json.split("\n").map(parseJson) : [whole];
  return texts.flatMap((text) => {
    const entries = typeof text === "object" && text !== null && "nftables" in text ? text.nftables : [];
    return Array.isArray(entries) ? entries : [];
  });
}

function isOf(entry: unknown, table: string): boolean {
  if (typeof entry !== "object" || entry === null) return false;
  return Object.values(entry).some(
    (thing) =>
      typeof thing === "object" &&
      thing !== null &&
      thing.family === "inet" &&
      (thing.table === table || (thing.table === undefined && thing.name === table)),
  );
}
