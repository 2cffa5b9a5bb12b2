import { z } from "zod";
import { readOtherGate } from "../../change/behind.js";
import type { HopProfile } from "../../change/hop-knocks.js";
import { namedProfileSchema } from "../../knock/clients/profile-schema.js";

type Given = z.input<typeof namedProfileSchema>;

/** The profile of a machine on the way, as a gate's output has it. Only its names and its gates are read. */
export const hopProfileSchema = z.custom<Given>().transform((given, context): HopProfile => {
  const reading = namedProfileSchema.safeParse(given);
  if (reading.success) {
    const { name, way, gates } = reading.data;
    return { name, host: way.host, gates: gates.map(readOtherGate) };
  }
  const fix = "Give the output `profile` of a KnockGate, or what its `profileOf` returns.";
  for (const { path, message } of reading.error.issues) {
    context.addIssue({ code: "custom", path, message: `can't be read: ${message}.`, params: { fix } });
  }
  return z.NEVER;
});
