import { z } from "zod";
import { KnockgateError } from "../errors.js";
import type { GateCounts } from "../plan/counts.js";
import { formatFindings } from "../policy/finding.js";
import { parsePolicy } from "../policy/parse.js";
import type { Policy } from "../policy/policy.js";
import { describeIssues } from "../policy/shape.js";
import { type WrittenPolicy, writePolicy } from "../policy/written-policy.js";
import { type ArgumentsInput, expectArguments, type RulesetArguments, readArguments } from "./arguments.js";
import type { LastChange } from "./last-change.js";
import type { Properties } from "./properties.js";

type Given = Required<ArgumentsInput>;

/** Takes an argument as it was given: `readArguments` reads it, and the state keeps it without defaults. */
function given<Name extends keyof Given>(_name: Name) {
  return z.custom<Given[Name]>();
}

const lines = z.array(z.string()).readonly();

export const lastChangeSchema: z.ZodType<LastChange> = z.looseObject({ at: z.string(), seconds: z.number() });

const argumentShape = {
  connection: given("connection"),
  policy: given("policy"),
  proveFrom: given("proveFrom").optional(),
  behind: given("behind").optional(),
  undoAfterSeconds: z.int(),
  adopt: given("adopt").optional(),
  deleteUnreachable: given("deleteUnreachable").optional(),
  health: given("health").optional(),
  recordFailure: given("recordFailure").optional(),
  keepFormer: given("keepFormer").optional(),
} satisfies { readonly [Name in keyof Given]: z.ZodType };

/** What the resource is told, by its component and by `check`. */
const inputsSchema = z.object({
  ...argumentShape,
  /** Where in which program the resource stands. */
  origin: z.string().optional(),
  /** Keys the labels that stand for secrets. */
  redactionKey: z.string(),
  /** The ruleset as everybody may see it; after a refresh what the host has. */
  ruleset: z.string(),
  /** What the last refresh found changed on the host; a program wants none. */
  drift: lines,
  /** How the host is reached, as everybody may see it. Version 0.1.0 did not write it. */
  reachedBy: z.record(z.string(), z.unknown()).optional(),
});

const outputShape = {
  /** SHA-256 of the ruleset that the host confirmed; empty where it has none, or another one. */
  digest: z.string(),
  /** What else stood in the gate's way when it was proven; none where it never was. */
  obstacles: lines.optional(),
  /** By gate, since the last refresh. Version 0.1.0 did not write it. */
  counters: z.record(z.string(), z.custom<GateCounts>()).default({}),
  /** Why the last change failed; empty: it did not. Only where failures are recorded, or the host may have confirmed. */
  failure: z.string().optional(),
  /** The policies that the host may have had before, likeliest first. As `failure`. */
  former: z.array(z.unknown()).transform(keepPolicies).optional(),
  /** When the host was changed last, or was to be. As `failure`. */
  lastChange: lastChangeSchema.optional(),
};

const stateSchema = z.object({ ...inputsSchema.shape, ...outputShape });

/** What puts a host back to what it had: the part of its state that its wave is given. */
const storedSchema = stateSchema.pick({
  ...{ connection: true, policy: true, proveFrom: true, behind: true, undoAfterSeconds: true, health: true },
  ...{ origin: true, former: true },
});

/** What a program asks of a host, complete. Secret in part: see `secrecy.ts`. */
export type RulesetInputs = Readonly<z.output<typeof inputsSchema>>;
/** What the engine keeps of a host. */
export type RulesetState = Readonly<z.output<typeof stateSchema>>;
/** What only the host can tell. */
export type RulesetOutputs = Pick<RulesetState, keyof typeof outputShape>;
export type StoredState = Readonly<z.output<typeof storedSchema>>;

export const stateNames: readonly string[] = Object.keys(stateSchema.shape);

/** A resource's properties, read: as they are, and what its arguments mean. */
interface Reading<Read> {
  readonly state: Read;
  readonly wanted: RulesetArguments;
}

/** `undefined`: it can't be read. */
export function readState(raw: Properties): Reading<RulesetState> | undefined {
  const wanted = readArguments(raw);
  const state = stateSchema.safeParse(raw);
  if (wanted.kind !== "arguments" || !state.success) return undefined;
  return { state: state.data, wanted: wanted.arguments };
}

/** @throws KnockgateError `POLICY_INVALID` */
export function expectState(raw: Properties): Reading<RulesetState> {
  return { wanted: expectArguments(raw), state: expectShape(stateSchema, raw) };
}

/**
 * Reads what `check` has completed right before.
 *
 * @throws KnockgateError `POLICY_INVALID`
 */
export function expectInputs(raw: Properties): Reading<RulesetInputs> {
  return { wanted: expectArguments(raw), state: expectShape(inputsSchema, raw) };
}

/** @throws KnockgateError `POLICY_INVALID` */
export function expectStored(raw: Properties): Reading<StoredState> {
  return { wanted: expectArguments(raw), state: expectShape(storedSchema, raw) };
}

const earlierSchema = inputsSchema.pick({ redactionKey: true, undoAfterSeconds: true }).partial();

/** What `check` takes over from earlier inputs. */
export type EarlierInputs = Readonly<z.output<typeof earlierSchema>>;

/** Reads earlier inputs; a new resource has none. */
export function readEarlier(raw: Properties): EarlierInputs {
  return earlierSchema.safeParse(raw).data ?? {};
}

/** Takes those outputs that a state has. */
export function takeOutputs(state: RulesetState): RulesetOutputs {
  const present = Object.entries(state).filter(([name, value]) => isOutput(name) && value !== undefined);
  return Object.fromEntries(present) as RulesetOutputs;
}

/** Leaves a state's outputs out. */
export function takeInputs(state: RulesetState): RulesetInputs {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !isOutput(name))) as RulesetInputs;
}

function isOutput(name: string): boolean {
  return Object.hasOwn(outputShape, name);
}

/** Properties of Pulumi's own, which begin with two underscores, go along. */
function expectShape<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  raw: Properties,
): z.output<z.ZodObject<Shape>> {
  const reading = schema.loose().safeParse(raw);
  if (reading.success) return reading.data as z.output<z.ZodObject<Shape>>;
  const findings = describeIssues(reading.error.issues, { schema, rule: "state-shape" });
  const message = `the state can't be read; nothing was contacted:\n${formatFindings(findings)}`;
  throw new KnockgateError("POLICY_INVALID", message);
}

function keepPolicies(raw: readonly unknown[]): readonly WrittenPolicy[] {
  return readPolicies(raw).map(writePolicy);
}

/** Leaves out what is not a policy. */
export function readPolicies(raw: readonly unknown[]): readonly Policy[] {
  return raw.flatMap((one) => {
    const reading = parsePolicy(one);
    return reading.kind === "policy" ? [reading.policy] : [];
  });
}
