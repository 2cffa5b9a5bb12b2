import { z } from "zod";
import { type OtherGate, readOtherGate } from "../../change/behind.js";
import { isNothing } from "../../knock/clients/client-knock.js";
import { carrierSchema, protectSchema, stepSchema, tokensSchema, userSchema } from "../../policy/schema.js";

/**
 * A gate of another policy, as that gate's output has it: with `steps`, or with all that makes tokens. Other fields of
 * the output are ignored.
 */
export const otherGateSchema = z
  .object({
    gate: z.string(),
    protect: z.array(protectSchema),
    steps: z.array(stepSchema).min(1).optional(),
    token: carrierSchema.optional(),
    user: z.string().optional(),
    key: userSchema.shape.key.optional(),
    policy: z.string().optional(),
    tokenHost: z.string().optional(),
    tokens: tokensSchema.optional(),
  })
  .transform((given, context): OtherGate => {
    const other = readOtherGate({ ...given, openForSeconds: 1 });
    if (isNothing(other.knock)) {
      const message = "needs steps, or token with user, key, policy, tokenHost and tokens";
      context.addIssue({ code: "custom", message });
    }
    return other;
  });
