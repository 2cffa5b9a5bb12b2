import type { z } from "zod";

/** Reads the parts of a list that a schema accepts, with their places. */
export function readRight<T>(
  schema: z.ZodType<T>,
  parts: readonly unknown[],
): readonly { position: number; part: T }[] {
  return parts.flatMap((raw, position) => {
    const reading = schema.safeParse(raw);
    return reading.success ? [{ position, part: reading.data }] : [];
  });
}

/** Reads a field of a value that may be anything. */
export function readField(raw: unknown, key: string): unknown {
  return typeof raw === "object" && raw !== null ? (raw as Record<string, unknown>)[key] : undefined;
}

/** Reads a field that should be a list. Anything else is an empty one. */
export function listField(raw: unknown, key: string): readonly unknown[] {
  const field = readField(raw, key);
  return Array.isArray(field) ? field : [];
}
