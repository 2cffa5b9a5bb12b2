import { z } from "zod";
import { KnockgateError } from "../../errors.js";
import type { GateCounts } from "../../policy/counts.js";
import { formatFindings } from "../../policy/finding.js";
import type { Policy } from "../../policy/policy.js";
import { describeIssues } from "../../policy/shape.js";
import { type WrittenPolicy, writePolicy } from "../../policy/written-policy.js";
import type { Properties } from "../properties.js";
import type { LastChange } from "./last-change.js";
import {
  type ArgumentsInput,
  expectArguments,
  type RulesetArguments,
  readArguments,
} from "./parse-inputs.js";
import { readPolicy } from "./read-policy.js";

type StoredArguments = Required<ArgumentsInput>;

/** Takes an argument as it was given: `readArguments` reads it, and the state keeps it without defaults. */
function given<Name extends keyof StoredArguments>(_name: Name) {
  return z.custom<StoredArguments[Name]>();
}

const lines = z.array(z.string()).readonly();

export const lastChangeSchema: z.ZodType<LastChange> = z.looseObject({ at: z.string(), seconds: z.number() });

const argumentShape = {
  connection: given("connection"),
  policy: given("policy"),
  proveFrom: given("proveFrom").optional(),
  behind: given("behind").optional(),
  hopProfiles: given("hopProfiles").optional(),
  undoAfterSeconds: z.int(),
  adopt: given("adopt").optional(),
  deleteUnreachable: given("deleteUnreachable").optional(),
  health: given("health").optional(),
  recordFailure: given("recordFailure").optional(),
  keepFormer: given("keepFormer").optional(),
} satisfies { readonly [Name in keyof StoredArguments]: z.ZodType };

/** The resource's inputs, from its component and from `check`. */
const inputsSchema = z.object({
  ...argumentShape,
  /** The resource's place in its program. */
  origin: z.string().optional(),
  /** The key of the labels that stand for secrets. */
  redactionKey: z.string(),
  /** The redacted ruleset; after a refresh, what the host has. */
  ruleset: z.string(),
  /** What the last refresh found changed on the host. The wanted value is empty. */
  drift: lines,
  /** How the host is reached, without a secret. */
  reachedBy: z.record(z.string(), z.unknown()),
});

const outputShape = {
  /** SHA-256 of the ruleset that the host confirmed; empty when it has none, or another one. */
  digest: z.string(),
  /** Other rules on the host that dropped protected ports when the gate was last proven; missing when it never was. */
  obstacles: lines.optional(),
  /** Packets counted per gate since the ruleset was loaded, as of the last refresh. */
  counters: z.record(z.string(), z.custom<GateCounts>()),
  /**
   * Why the last change failed; empty when it succeeded. Set only where failures are recorded, or where the host may
   * have confirmed a failed change.
   */
  failure: z.string().optional(),
  /** The policies that the host may have had before, likeliest first. Set where `failure` is. */
  former: z.array(z.unknown()).transform(keepPolicies).optional(),
  /** When the host was last changed, or a change of it last failed. Set where `failure` is. */
  lastChange: lastChangeSchema.optional(),
};

const stateSchema = z.object({ ...inputsSchema.shape, ...outputShape });

/** The part of a host's state that its wave gets, to restore what the host had. */
const storedSchema = stateSchema.pick({
  ...{ connection: true, policy: true, proveFrom: true, behind: true, hopProfiles: true },
  ...{ undoAfterSeconds: true, health: true, origin: true, former: true },
});

/** A resource's complete inputs. Some are secret: see `secrecy.ts`. */
export type RulesetInputs = Readonly<z.output<typeof inputsSchema>>;
/** The state that the engine keeps for a host. */
export type RulesetState = Readonly<z.output<typeof stateSchema>>;
/** The properties that a change or a refresh sets. */
type RulesetOutputs = Pick<RulesetState, keyof typeof outputShape>;
export type StoredState = Readonly<z.output<typeof storedSchema>>;

export const stateNames: readonly string[] = Object.keys(stateSchema.shape);

/** A resource's properties, and the arguments parsed from them. */
interface Reading<Read> {
  readonly state: Read;
  readonly wanted: RulesetArguments;
}

/** Returns `undefined` when the state can't be read. */
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
 * Reads inputs that `check` has completed.
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

/** What `check` keeps from earlier inputs. */
export type EarlierInputs = Readonly<z.output<typeof earlierSchema>>;

/** Reads earlier inputs; a new resource has none. */
export function readEarlier(raw: Properties): EarlierInputs {
  return earlierSchema.safeParse(raw).data ?? {};
}

/** Returns a state's outputs, without those that are not set. */
export function takeOutputs(state: RulesetState): RulesetOutputs {
  const present = Object.entries(state).filter(([name, value]) => isOutput(name) && value !== undefined);
  return Object.fromEntries(present) as RulesetOutputs;
}

/** Returns a state without its outputs. */
export function takeInputs(state: RulesetState): RulesetInputs {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !isOutput(name))) as RulesetInputs;
}

function isOutput(name: string): boolean {
  return Object.hasOwn(outputShape, name);
}

/** Keeps Pulumi's own properties, whose names begin with two underscores. */
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
    const reading = readPolicy(one);
    return reading.kind === "policy" ? [reading.policy] : [];
  });
}
