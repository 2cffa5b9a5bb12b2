import { z } from "zod";
import type { HealthCheck } from "../apply/health.js";
import { KnockgateError } from "../errors.js";
import { chooseUndoTime } from "../plan/undo-time.js";
import { type Finding, formatFindings, placeBelowPolicy } from "../policy/finding.js";
import { parsePolicy } from "../policy/parse.js";
import type { Policy } from "../policy/policy.js";
import { describeIssues } from "../policy/shape.js";
import { type Connection, connectionSchema } from "../transport/connection.js";
import type { Properties } from "./properties.js";

/** What a resource is told, read and found right. */
export interface RulesetArguments {
  readonly connection: Connection;
  /** Another machine that the gates are tried from. */
  readonly proveFrom?: Connection | undefined;
  readonly policy: Policy;
  readonly undoAfterSeconds: number;
  readonly adopt: boolean;
  readonly deleteUnreachable: boolean;
  readonly health?: HealthCheck | undefined;
  /** Whether a change that failed ends well, with its failure in the outputs: a fleet's wave counts them. */
  readonly recordFailure: boolean;
  /** Whether the state keeps what the host had before a change that went well, so that it can be put back. */
  readonly keepFormer: boolean;
}

export type ArgumentsReading =
  | { readonly kind: "arguments"; readonly arguments: RulesetArguments }
  /** Something that another resource still has to make. */
  | { readonly kind: "unknown" }
  | { readonly kind: "wrong"; readonly findings: readonly Finding[] };

/** What the engine sends for a value that is not known before `up` (`unknownValue` in @pulumi/pulumi's runtime/rpc). */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const optionsSchema = z.object({
  connection: connectionSchema,
  proveFrom: connectionSchema.optional(),
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

/** What a program can say of one gate. */
export const argumentNames: readonly string[] = [
  ...["connection", "policy", "proveFrom", "undoAfterSeconds", "adopt", "deleteUnreachable"],
];

/** Reads a resource's inputs as the engine sends them: all that is wrong comes out at once. */
export function readArguments(raw: Properties): ArgumentsReading {
  const policy = hasUnknown(raw["policy"]) ? undefined : parsePolicy(raw["policy"]);
  const options = hasUnknown(optionNames.map((name) => raw[name])) ? undefined : optionsSchema.safeParse(raw);
  const findings = [
    ...(policy?.kind === "wrong" ? policy.findings.map(placeBelowPolicy) : []),
    ...describeIssues(options?.error?.issues ?? [], { schema: optionsSchema, rule: "arguments-shape" }),
  ];
  if (findings.length > 0) return { kind: "wrong", findings };
  if (policy?.kind !== "policy" || options?.success !== true) return { kind: "unknown" };
  const {
    undoAfterSeconds = chooseUndoTime({ policy: policy.policy, health: options.data.health }),
    ...rest
  } = options.data;
  return { kind: "arguments", arguments: { policy: policy.policy, ...rest, undoAfterSeconds } };
}

/**
 * Reads what `check` has found right before.
 *
 * @throws KnockgateError `POLICY_INVALID`
 */
export function expectArguments(raw: Properties): RulesetArguments {
  const reading = readArguments(raw);
  if (reading.kind === "arguments") return reading.arguments;
  const findings = reading.kind === "wrong" ? formatFindings(reading.findings) : "something is not known yet";
  throw new KnockgateError("POLICY_INVALID", `the inputs are not right; nothing was contacted:\n${findings}`);
}

/** Whether something of a value is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknownValue) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}
