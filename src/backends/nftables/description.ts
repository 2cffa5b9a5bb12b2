import { z } from "zod";
import type { LoadedTable, ObservedChain, ObservedSet } from "../backend.js";
import { parseHostJson } from "./json.js";

/** What nft says of a policy's own table. It tells a load what it can keep. */
export type Description = Pick<LoadedTable, "sets" | "chains" | "counters" | "isUndescribed">;

const name = z.string();
/** nft 1.1.4 writes a single flag as a string, not as an array. */
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
      // A priority that is not a number is not one of ours. NaN is equal to none of ours.
      prio: z.number().optional().catch(Number.NaN),
    })
    .optional(),
});

/** For output of nft that can't be read. */
const undescribed: Description = { isUndescribed: true, sets: [], chains: [], counters: [] };

/**
 * Reads one table from `nft -j list table` (libnftables-json(5)). The reading is strict, because a load is planned by
 * it. Entries of other tables are skipped.
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
 * Lists the entries of nft's JSON: the output is one JSON text, or one in each line. Text that can't be read has no
 * entries: nft ended half-way, or it can't write JSON.
 */
export function listEntries(json: string): readonly unknown[] {
  const whole = parseHostJson(json);
  const texts = whole === undefined ? json.split("\n").map(parseHostJson) : [whole];
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
