import * as z from "zod/mini";
import type { Carrier, CarrierInput } from "../../policy/carrier.js";
import { protocols } from "../../policy/port.js";
import type { Step, StepInput } from "../../policy/step.js";

const text = z.string("it is not a text").check(z.minLength(1, "it is empty"));

function number(least: number, most: number) {
  const message = `it is not a whole number from ${least} to ${most}`;
  return z.int(message).check(z.minimum(least, message), z.maximum(most, message));
}

const port = number(1, 65_535);
const payloadBytes = number(0, 1_232);
const seconds = number(1, 86_400);

const stepSchemas: Readonly<Record<Step["kind"], z.ZodMiniType<StepInput>>> = {
  tcp: z.object({ tcp: port }),
  udp: z.object({ udp: port, udpPayloadBytes: z.optional(payloadBytes) }),
  icmpEcho: z.object({ icmpPayloadBytes: payloadBytes }),
};

const login = { host: text, port, user: text, hostKey: z.optional(text) };
const protect = z.union(
  protocols.map((protocol) => z.object({ [protocol]: text })),
  "it does not name ports of TCP or UDP",
);

const gate = {
  gate: text,
  protect: z.array(protect, "it is not a list"),
  openForSeconds: seconds,
  singleConnection: z.optional(z.boolean("it is not true or false")),
};

const sequenceGate = z.object(
  {
    ...gate,
    steps: z.array(
      z.union(Object.values(stepSchemas), "it is not a step with a port or a size"),
      "it is not a list",
    ),
    stepTimeoutSeconds: seconds,
  },
  "it is not an object",
);

const carrierSchemas: Readonly<Record<Carrier["kind"], z.ZodMiniType<CarrierInput>>> = {
  udp: z.object({ udp: port }),
  icmpEcho: z.object({ icmpEcho: z.literal(true) }),
};

const tokenGate = z.object({
  ...gate,
  token: z.union(Object.values(carrierSchemas), "it does not name a UDP port or an echo request"),
  user: text,
  key: z
    .string("it is not a text")
    .check(z.regex(/^[a-zA-Z0-9_-]{32,64}$/, "it is not 32 to 64 characters of base64url")),
  policy: text,
  tokenHost: text,
  tokens: z.object(
    { slotSeconds: number(10, 3_600), horizonDays: number(1, 90), graceSeconds: number(0, 3_600) },
    "it is not an object",
  ),
});

/** Two schemas, and no union: so a message names the field that is wrong. */
const gateSchema = z.pipe(
  z.unknown(),
  z.transform((value: unknown, context) => {
    const isToken = typeof value === "object" && value !== null && "token" in value;
    const reading = (isToken ? tokenGate : sequenceGate).safeParse(value);
    if (reading.success) return reading.data;
    for (const { message, path } of reading.error.issues)
      context.issues.push({ code: "custom", message, path: [...path], input: undefined });
    return z.NEVER;
  }),
);

/**
 * A profile without its name. Other fields are ignored. The schema is one of zod's small ones, which the bundle
 * contains, because a knock must start fast.
 */
export const profileSchema = z.object(
  {
    way: z.object(
      { ...login, proxy: z.optional(z.object(login, "it is not an object")) },
      "it is not an object",
    ),
    gates: z.array(gateSchema, "it is not a list"),
  },
  "it is not an object",
);

/** A profile as the output `profile` of a gate has it. */
export const namedProfileSchema = z.extend(profileSchema, { name: text });
