import { z } from "zod";
import { carrierFields } from "./carrier.js";
import { readExpectedPacket } from "./expected-packet.js";
import { readKnock } from "./knock.js";
import { backendNames } from "./policy.js";
import { parsePortRange } from "./port.js";
import { parsePrefix } from "./prefix.js";
import { stepFields } from "./step.js";
import { tokenDefaults } from "./token-settings.js";

/** The most steps one knock can have. */
const maximumSteps = 16;

/** How far a token of a policy's own test may be from the current slot: farther than any horizon. */
const maximumSlots = 1_000_000;

/** Longest pause or open time: one day. A door that is open for longer is a permanent exception, not a knock. */
const maximumSeconds = 86_400;

export const nameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, {
  error: "must be 1 to 32 of the characters a-z, 0-9 and -, and begin with a letter.",
});

const port = takeDigits(z.int().min(1).max(65_535));

const seconds = z.int().min(1).max(maximumSeconds);

const portRange = takeNumber(
  z.string().refine((text) => parsePortRange(text) !== undefined, {
    error: "is not a port or a range of ports from 1 to 65535.",
    params: { fix: 'Write it like "22" or "8000-8010", the lower port first.' },
  }),
);

const prefix = z.string().superRefine((text, context) => {
  const reading = parsePrefix(text);
  if (reading.kind === "wrong") {
    context.addIssue({ code: "custom", message: reading.message, params: { fix: reading.fix } });
  }
});

/** Payload bytes that fit one packet on any link (RFC 8200, 5: 1280 bytes, less 48 of headers). */
const payloadBytes = takeDigits(z.int().min(0).max(1_232));

/** A step as users write it. */
export const stepSchema = exactlyOne(
  z.strictObject({
    /** A TCP SYN to this port. */
    tcp: port.optional(),
    /** A UDP datagram to this port. */
    udp: port.optional(),
    /** An ICMP or ICMPv6 echo request with exactly this many bytes of payload. */
    icmpPayloadBytes: payloadBytes.optional(),
    /** Only for `udp`: a datagram with exactly this many bytes of payload. Default: any size. */
    udpPayloadBytes: payloadBytes.optional(),
  }),
  "a step",
  Object.values(stepFields),
).refine((step) => step.udpPayloadBytes === undefined || step.udp !== undefined, {
  path: ["udpPayloadBytes"],
  error: "is only for a udp step.",
  params: { fix: "Remove it, or set udp." },
});

export const protectSchema = exactlyOne(
  z.strictObject({
    /** A TCP port or range, like `"22"` or `"8000-8010"`. */
    tcp: portRange.optional(),
    /** A UDP port or range. */
    udp: portRange.optional(),
  }),
  "an entry of protect",
  ["tcp", "udp"],
);

/** What carries a token. */
export const carrierSchema = exactlyOne(
  z.strictObject({
    /** A datagram to this port. */
    udp: port.optional(),
    /** An ICMP or ICMPv6 echo request. */
    icmpEcho: z
      .boolean()
      .refine((is) => is, { error: "must be true.", params: { fix: "Set it to true, or use udp." } })
      .optional(),
  }),
  "a token",
  Object.values(carrierFields),
);

const knock = exactlyOne(
  z.strictObject({
    steps: z.array(stepSchema).min(1).max(maximumSteps).optional(),
    /** Only for `steps`. */
    stepTimeoutSeconds: seconds.optional(),
    /** Only for `steps`. */
    strict: z.boolean().optional(),
    token: carrierSchema.optional(),
  }),
  "a knock",
  ["steps", "token"],
)
  .superRefine((knock, context) => {
    if (knock.token === undefined) return;
    for (const field of ["stepTimeoutSeconds", "strict"] as const) {
      if (knock[field] === undefined) continue;
      const params = { fix: "Remove it, or use steps in place of token." };
      context.addIssue({ code: "custom", path: [field], message: "is only for a knock of steps.", params });
    }
  })
  .transform(readKnock);

const gateSchema = z.strictObject({
  name: nameSchema,
  protect: z.array(protectSchema).min(1),
  knock,
  openForSeconds: seconds.default(30),
  /** Whether a door lets in one connection for each time that it is opened. */
  singleConnection: z.boolean().default(false),
});

export const userSchema = z.strictObject({
  name: nameSchema,
  /** HMAC-SHA-256 hashes a longer key first. 32 characters of base64url hold 192 bits. */
  key: z.string().regex(/^[A-Za-z0-9_-]{32,64}$/, {
    error: "must be 32 to 64 of the characters A-Z, a-z, 0-9, - and _.",
  }),
  gates: z.array(nameSchema).min(1).optional(),
  from: z.array(prefix).min(1).optional(),
});

/** The horizon bounds how many tokens a host holds. */
export const tokensSchema = z.strictObject({
  slotSeconds: z.int().min(10).max(3_600).default(tokenDefaults.slotSeconds),
  horizonDays: z.int().min(1).max(90).default(tokenDefaults.horizonDays),
  graceSeconds: z.int().min(0).max(3_600).default(tokenDefaults.graceSeconds),
});

/** What can be written to the kernel's log, and counted. */
const eventSchema = z.enum(["opened", "accepted", "dropped", "reset"]);

const log = z.strictObject({
  events: z.array(eventSchema).min(1),
  /** The start of each line. Together with the names of the gate and the event it has to fit xt_LOG's 29 bytes. */
  prefix: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,12}$/, { error: "must be 1 to 12 letters, digits, _ or -." })
    .default("knockgate"),
  perMinute: z.int().min(1).max(10_000).default(30),
});

const limits = z.strictObject({
  /** The most sources that a set of nftables holds at once. For iptables, the host's xt_recent sets the limit. */
  sources: z.int().min(16).max(1_048_576).default(65_536),
  /** First steps per second that count from one IPv4 /24 or IPv6 /64. 0: no limit. */
  firstStepsPerSecond: z.int().min(0).max(10_000).default(20),
});

const expectedPacket = exactlyOne(
  z.strictObject({
    tcp: port.optional(),
    udp: port.optional(),
    icmpPayloadBytes: payloadBytes.optional(),
    udpPayloadBytes: payloadBytes.optional(),
    /** A token of this user. */
    token: nameSchema.optional(),
    slot: z.int().min(-maximumSlots).max(maximumSlots).optional(),
    again: z.boolean().optional(),
    close: z.boolean().optional(),
    /** Seconds after the packet before it. */
    afterSeconds: z.number().min(0).max(maximumSeconds).default(0),
  }),
  "a packet",
  [...Object.values(stepFields), "token"],
)
  .superRefine((packet, context) => {
    const refuse = (path: string, message: string, fix: string) =>
      context.addIssue({ code: "custom", path: [path], message, params: { fix } });
    for (const field of ["slot", "again", "close"] as const) {
      if (packet.token === undefined && packet[field] !== undefined)
        refuse(field, "is only for a token.", "Remove it, or set token.");
    }
    if (packet.again === true && packet.slot !== undefined)
      refuse("slot", "is only for a token that is not sent again.", "Remove slot or again.");
  })
  .transform(readExpectedPacket);

/** One of a policy's own tests. */
const expectation = z.strictObject({
  name: z.string().min(1).max(200),
  from: z.union([z.ipv4(), z.ipv6()], { error: "is not an address." }),
  packets: z.array(expectedPacket).max(1_000).default([]),
  gate: nameSchema,
  /** Seconds between the last packet and the try of the door. */
  afterSeconds: z.number().min(0).max(maximumSeconds).default(0),
  isOpen: z.boolean(),
});

/** The shape of a policy, shared by the Pulumi argument and policy files. It has no unions. */
export const policySchema = z.strictObject({
  name: nameSchema,
  gates: z.array(gateSchema).min(1),
  users: z.array(userSchema).default([]),
  deployAs: nameSchema.optional(),
  tokens: tokensSchema.prefault({}),
  allowFrom: z.array(prefix).default([]),
  denyFrom: z.array(prefix).default([]),
  backend: z.enum(backendNames).default("nftables"),
  scope: z.enum(["input", "prerouting"]).default("input"),
  stealth: z.boolean().default(false),
  log: log.optional(),
  limits: limits.prefault({}),
  acceptRisks: z.array(z.string()).default([]),
  expect: z.array(expectation).default([]),
});

function exactlyOne<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  what: string,
  keys: readonly (keyof Shape & string)[],
) {
  const isOne = (value: object) =>
    keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined).length === 1;
  return schema.refine(isOne, {
    error: `${what} must have exactly one of ${keys.slice(0, -1).join(", ")} or ${keys.at(-1)}.`,
    params: { fix: "Set one of them and leave out the others." },
  });
}

// YAML, a stack's config and a program's language decide, each in its own way, whether a port arrives as a number or as
// its digits. The types name only one of the two, because not all languages can express both.

/** Accepts digits in place of a number. */
function takeDigits(schema: z.ZodType<number, number>): z.ZodType<number, number> {
  const toNumber = (value: unknown) =>
    typeof value === "string" && /^(0|[1-9]\d{0,9})$/.test(value) ? Number(value) : value;
  return z.preprocess(toNumber, schema) as unknown as z.ZodType<number, number>;
}

/** Accepts a number in place of its digits. */
function takeNumber(schema: z.ZodType<string, string>): z.ZodType<string, string> {
  const toText = (value: unknown) => (typeof value === "number" ? `${value}` : value);
  return z.preprocess(toText, schema) as unknown as z.ZodType<string, string>;
}
