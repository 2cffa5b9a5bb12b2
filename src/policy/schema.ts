import { z } from "zod";
import { parsePortRange } from "./port.js";
import { parsePrefix } from "./prefix.js";

/** The most steps one knock can have. */
const maximumSteps = 16;

/** Longest pause or open time: one day. Beyond that a gate is a standing exception, not a knock. */
const maximumSeconds = 86_400;

export const nameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, {
  error: "must be 1 to 32 of the characters a-z, 0-9 and -, and begin with a letter.",
});

const port = z.int().min(1).max(65_535);

const seconds = z.int().min(1).max(maximumSeconds);

const portRange = z.string().refine((text) => parsePortRange(text) !== undefined, {
  error: "is not a port or a range of ports from 1 to 65535.",
  params: { fix: 'Write it like "22" or "8000-8010", the lower port first.' },
});

const prefix = z.string().superRefine((text, context) => {
  const reading = parsePrefix(text);
  if (reading.kind === "wrong") {
    context.addIssue({ code: "custom", message: reading.message, params: { fix: reading.fix } });
  }
});

export const stepSchema = exactlyOne(
  z.strictObject({ tcp: port.optional(), udp: port.optional() }),
  "a step",
);

export const protectSchema = exactlyOne(
  z.strictObject({ tcp: portRange.optional(), udp: portRange.optional() }),
  "an entry of protect",
);

const knock = z.strictObject({
  steps: z.array(stepSchema).min(1).max(maximumSteps),
  stepTimeoutSeconds: seconds.default(5),
  strict: z.boolean().default(true),
});

const gateSchema = z.strictObject({
  name: nameSchema,
  protect: z.array(protectSchema).min(1),
  knock,
  openForSeconds: seconds.default(30),
});

/** The shape of a policy, shared by the Pulumi argument and policy files. It has no unions. */
export const policySchema = z.strictObject({
  name: nameSchema,
  gates: z.array(gateSchema).min(1),
  allowFrom: z.array(prefix).default([]),
});

/** A policy as its user writes it, defaults left out. */
export type PolicyInput = z.input<typeof policySchema>;

/** A policy that was found right, defaults filled in. */
export type Policy = DeepReadonly<z.output<typeof policySchema>>;
export type Gate = Policy["gates"][number];
export type Step = Gate["knock"]["steps"][number];

type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };

function exactlyOne<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape, z.core.$strict>, what: string) {
  const keys = Object.keys(schema.shape).join(" or ");
  return schema.refine((value) => Object.values(value).filter((field) => field !== undefined).length === 1, {
    error: `${what} must have exactly one of ${keys}.`,
    params: { fix: "Set one of them and leave out the others." },
  });
}
