import { z } from "zod";
import type { OtherGate } from "../../change/behind.js";
import type { HealthCheck } from "../../change/health.js";
import type { HopProfile } from "../../change/hop-knocks.js";
import { chooseUndoTime } from "../../change/undo-time.js";
import { KnockgateError } from "../../errors.js";
import { type Finding, formatFindings, formatPath, placeBelowPolicy } from "../../policy/finding.js";
import type { PolicyReading } from "../../policy/parse.js";
import type { Policy, PolicyInput } from "../../policy/policy.js";
import { describeIssues } from "../../policy/shape.js";
import { type Connection, connectionSchema } from "../../ssh/connection.js";
import { fillWhatIsKnown } from "../../ssh/resolve.js";
import type { Properties } from "../properties.js";
import { hasUnknown, isDueTo, listUnknown } from "../unknown.js";
import { hopProfileSchema } from "./hop-profile.js";
import { otherGateSchema } from "./other-gate.js";
import { readPolicy } from "./read-policy.js";

/** A resource's arguments, parsed and checked. */
export interface RulesetArguments {
  readonly connection: Connection;
  /** Another machine that the gates are tried from. */
  readonly proveFrom?: Connection | undefined;
  readonly policy: Policy;
  /** Gates of other policies on the host that SSH may be behind. Secret. */
  readonly behind: readonly OtherGate[];
  /** Machines on the way that may be gated themselves. Secret. */
  readonly hopProfiles: readonly HopProfile[];
  readonly undoAfterSeconds: number;
  readonly adopt: boolean;
  readonly deleteUnreachable: boolean;
  readonly health?: HealthCheck | undefined;
  /**
   * Whether a failed change is a success for the engine, with the failure in the outputs: a fleet's wave counts
   * failures.
   */
  readonly recordFailure: boolean;
  /** Whether the state keeps the former policy after a successful change, so that it can be restored. */
  readonly keepFormer: boolean;
}

export type ArgumentsReading =
  | { readonly kind: "arguments"; readonly arguments: RulesetArguments }
  /** A value is not known before `up`, because another resource has yet to make it. */
  | { readonly kind: "unknown"; readonly known: KnownArguments }
  | { readonly kind: "wrong"; readonly findings: readonly Finding[] };

/** The arguments that are completely known. The others are `undefined`. */
export interface KnownArguments {
  readonly policy: Policy | undefined;
  /** `undefined` also when it is not given. */
  readonly undoAfterSeconds: number | undefined;
  /** Whether there is a health command; `undefined` when that is not known yet. */
  readonly hasHealth: boolean | undefined;
  readonly health: HealthCheck | undefined;
}

const optionsSchema = z.object({
  connection: connectionSchema,
  proveFrom: connectionSchema.optional(),
  // Other fields that a gate's output has are ignored.
  behind: z.array(otherGateSchema).default([]),
  hopProfiles: z.array(hopProfileSchema).default([]),
  undoAfterSeconds: z.int().min(10).max(86_400).optional(),
  adopt: z.boolean().default(false),
  deleteUnreachable: z.boolean().default(false),
  health: z
    .strictObject({ command: z.string().min(1), timeoutSeconds: z.int().min(1).max(3_600).default(30) })
    .optional(),
  recordFailure: z.boolean().default(false),
  keepFormer: z.boolean().default(false),
});

const optionNames = Object.keys(optionsSchema.shape);

/** A resource's arguments as given, without defaults. */
export type ArgumentsInput = z.input<typeof optionsSchema> & { readonly policy: PolicyInput };

/** The arguments that a program can give for one gate. */
export const argumentNames = [
  ...(["connection", "policy", "proveFrom", "behind", "hopProfiles"] as const),
  ...(["undoAfterSeconds", "adopt", "deleteUnreachable"] as const),
];

/**
 * Parses a resource's inputs as the engine sends them. Returns all findings at once, without those that unknown values
 * may cause.
 */
export function readArguments(raw: Properties): ArgumentsReading {
  const unknown = ["policy", ...optionNames].flatMap((name) => listUnknown(raw[name], [name]));
  const policy = readPolicy(raw["policy"]);
  const options = optionsSchema.safeParse(raw);
  const ofPolicy = policy.kind === "wrong" ? policy.findings : [];
  const ofOptions = (options.error?.issues ?? []).filter(
    // A field that does not exist is wrong, whatever the unknown values will be.
    ({ code, path }) => code === "unrecognized_keys" || !isDueTo(unknown, formatPath(path)),
  );
  const findings = [
    ...ofPolicy.map(placeBelowPolicy).filter((finding) => !isFromUnknown(finding, unknown)),
    ...describeIssues(ofOptions, { schema: optionsSchema, rule: "arguments-shape" }),
  ];
  if (findings.length > 0) return { kind: "wrong", findings };
  if (unknown.length > 0 || policy.kind !== "policy" || !options.success)
    return { kind: "unknown", known: takeKnown(raw, policy) };
  const {
    undoAfterSeconds = chooseUndoTime({ policy: policy.policy, health: options.data.health }),
    connection,
    proveFrom,
    ...rest
  } = options.data;
  const ways = {
    connection: fillWhatIsKnown(connection),
    ...(proveFrom === undefined ? {} : { proveFrom: fillWhatIsKnown(proveFrom) }),
  };
  return { kind: "arguments", arguments: { policy: policy.policy, ...rest, ...ways, undoAfterSeconds } };
}

/**
 * What a finding about users and gates depends on, besides its own path. A key matters only to findings about the key.
 */
const dependencies: Readonly<Record<string, RegExp>> = {
  "token-without-user": /^policy\.(users(?!.*\.key$)|gates\[\d+\]\.name$)/,
  "users-without-token": /^policy\.gates/,
  "user-gate-unknown": /^policy\.gates/,
  "user-gate-without-token": /^policy\.gates/,
  "deploy-as-unknown": /^policy\.users(?!.*\.key$)/,
};

function isFromUnknown({ path, rule }: Finding, unknown: readonly string[]): boolean {
  const depends = dependencies[rule];
  return isDueTo(unknown, path) || unknown.some((one) => depends?.test(one) ?? false);
}

function takeKnown(raw: Properties, policy: PolicyReading): KnownArguments {
  const isKnown = policy.kind === "policy" && !hasUnknown(raw["policy"]);
  const { health, undoAfterSeconds } = optionsSchema.pick({ health: true, undoAfterSeconds: true }).shape;
  const checked = hasUnknown(raw["health"]) ? undefined : health.safeParse(raw["health"]);
  return {
    policy: isKnown ? policy.policy : undefined,
    undoAfterSeconds: undoAfterSeconds.safeParse(raw["undoAfterSeconds"]).data,
    hasHealth: checked && checked.data !== undefined,
    health: checked?.data,
  };
}

/**
 * Reads arguments that `check` has accepted.
 *
 * @throws KnockgateError `POLICY_INVALID` when they are wrong or not all known
 */
export function expectArguments(raw: Properties): RulesetArguments {
  const reading = readArguments(raw);
  if (reading.kind === "arguments") return reading.arguments;
  const findings = reading.kind === "wrong" ? formatFindings(reading.findings) : "something is not known yet";
  throw new KnockgateError("POLICY_INVALID", `the inputs are not valid; nothing was contacted:\n${findings}`);
}
