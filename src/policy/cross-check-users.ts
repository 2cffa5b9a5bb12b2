import { tokenPlace } from "../knock/token-payload.js";
import { type Carrier, carrierPort, readCarrier, sameCarrier } from "./carrier.js";
import { type CheckedGate, checkGate, type FindPort, makeFindPort } from "./checked-gate.js";
import { type Finding, formatPath } from "./finding.js";
import { listField, readField, readRight } from "./raw.js";
import { carrierSchema, nameSchema, tokensSchema, userSchema } from "./schema.js";
import { type Step, stepFields } from "./step.js";
import { countSlots } from "./token.js";
import { listUsersOf } from "./user.js";

/** The most tokens that the set of all tokens of a policy holds. */
const mostTokens = 1_048_576;

interface CarriedGate {
  readonly index: number;
  readonly name: string | undefined;
  /** `undefined`: a sequence opens it, or its knock is wrong. */
  readonly carrier: Carrier | undefined;
}

interface CheckedUser {
  readonly index: number;
  readonly name: string;
  readonly key: string;
  readonly gates: readonly string[] | undefined;
}

/**
 * Finds what is wrong between users, tokens and gates. Takes the policy before it is parsed, because one wrong part must
 * not hide what is wrong between the others.
 */
export function crossCheckUsers(raw: unknown): readonly Finding[] {
  const gates = listField(raw, "gates").map(readGate);
  const users = readRight(userSchema, listField(raw, "users")).map(({ position, part }): CheckedUser => {
    return { index: position, name: part.name, key: part.key, gates: part.gates };
  });
  // A policy without tokens has nothing of this kind to find.
  const checked = gates.some(({ carrier }) => carrier !== undefined)
    ? listField(raw, "gates").map(checkGate)
    : [];
  const findPort = makeFindPort(checked);
  return [
    ...findTaken(users, "name", "user-name-taken", "Give each user of a policy a name of their own."),
    ...findTaken(users, "key", "user-key-taken", "Give each user a key of their own, with userKey."),
    ...users.flatMap((user) => findUnknownGates(user, gates)),
    ...findIdle(raw, users, gates),
    ...findUnknownDeployer(raw, users),
    ...findTooMany(raw, users, gates),
    ...gates.flatMap((gate) => [...findProtected(gate, findPort), ...findSteps(gate, checked)]),
  ];
}

function readGate(raw: unknown, index: number): CarriedGate {
  const carrier = carrierSchema.safeParse(readField(readField(raw, "knock"), "token"));
  return {
    index,
    name: nameSchema.safeParse(readField(raw, "name")).data,
    carrier: carrier.success ? readCarrier(carrier.data) : undefined,
  };
}

function findTaken(
  users: readonly CheckedUser[],
  field: "name" | "key",
  rule: string,
  fix: string,
): readonly Finding[] {
  return users.flatMap((user, position) => {
    const first = users.slice(0, position).find((other) => other[field] === user[field]);
    if (first === undefined) return [];
    const message = `is the ${field} of users[${first.index}], too.`;
    return [{ path: formatPath(["users", user.index, field]), rule, message, fix }];
  });
}

function findUnknownGates(
  { index, gates: named = [] }: CheckedUser,
  gates: readonly CarriedGate[],
): readonly Finding[] {
  return named.flatMap((name, position) => {
    const path = formatPath(["users", index, "gates", position]);
    const gate = gates.find((each) => each.name === name);
    if (gate?.carrier !== undefined) return [];
    return gate === undefined
      ? [
          {
            path,
            rule: "user-gate-unknown",
            message: `names gate "${name}", which the policy does not have.`,
            fix: "Name one of the policy's gates.",
          },
        ]
      : [
          {
            path,
            rule: "user-gate-without-token",
            message: `names gate "${name}", which no token opens.`,
            fix: "Name a gate whose knock is a token, or set knock.token there.",
          },
        ];
  });
}

/** Users without a gate, and gates without a user. */
function findIdle(
  raw: unknown,
  users: readonly CheckedUser[],
  gates: readonly CarriedGate[],
): readonly Finding[] {
  const withToken = gates.filter(({ carrier }) => carrier !== undefined);
  // A token that is wrong in another way is one, too.
  const hasToken = listField(raw, "gates").some(
    (gate) => readField(readField(gate, "knock"), "token") !== undefined,
  );
  const isWhole = users.length === listField(raw, "users").length;
  const lonely = withToken.filter(({ name = "" }) => listUsersOf({ users }, name).length === 0);
  return [
    ...(!hasToken && users.length > 0
      ? [
          {
            path: "users",
            rule: "users-without-token",
            message: "are named, and no gate's knock is a token.",
            fix: "Set knock.token at a gate, or remove the users.",
          },
        ]
      : []),
    // A user that is wrong in another way may have been meant for the gate.
    ...(isWhole ? lonely : []).map(({ index }) => ({
      path: formatPath(["gates", index, "knock", "token"]),
      rule: "token-without-user",
      message: "opens the gate for no user, so nobody can open it.",
      fix: "Add a user, or name the gate in a user's gates.",
    })),
  ];
}

function findUnknownDeployer(raw: unknown, users: readonly CheckedUser[]): readonly Finding[] {
  const named = readField(raw, "deployAs");
  if (named === undefined || users.some(({ name }) => name === named)) return [];
  if (listField(raw, "users").some((user) => readField(user, "name") === named)) return [];
  return [
    {
      path: "deployAs",
      rule: "deploy-as-unknown",
      message: "names no user of the policy.",
      fix: "Name one of the users, or leave it out: then the first user of a gate passes it.",
    },
  ];
}

function findTooMany(
  raw: unknown,
  users: readonly CheckedUser[],
  gates: readonly CarriedGate[],
): readonly Finding[] {
  const settings = tokensSchema.safeParse(readField(raw, "tokens") ?? {});
  if (!settings.success) return [];
  const holders = gates
    .filter(({ carrier }) => carrier !== undefined)
    .map(({ name = "" }) => listUsersOf({ users }, name).length)
    .reduce((sum, count) => sum + count, 0);
  const count = holders * countSlots(settings.data);
  if (count <= mostTokens) return [];
  return [
    {
      path: "tokens",
      rule: "too-many-tokens",
      message: `make ${count} tokens for all users and gates together, and a host holds at most ${mostTokens}.`,
      fix: "Use a longer slotSeconds or a shorter horizonDays, or name each user's gates.",
    },
  ];
}

/** A packet to a protected port is gated, so it can't bring a token. */
function findProtected({ index, carrier }: CarriedGate, findPort: FindPort): readonly Finding[] {
  const target = carrier === undefined ? undefined : carrierPort(carrier);
  const hit = target === undefined ? undefined : findPort(target.protocol, target.port);
  if (hit === undefined) return [];
  return [
    {
      path: formatPath(["gates", index, "knock", "token", "udp"]),
      rule: "token-on-protected-port",
      message: `is a port that ${hit.path} protects.`,
      fix: "Choose a port that no gate protects.",
    },
  ];
}

/** A packet that is a token and a step would open one gate and move on at another. */
function findSteps({ index, carrier }: CarriedGate, checked: readonly CheckedGate[]): readonly Finding[] {
  if (carrier === undefined) return [];
  return checked.flatMap(({ index: other, steps }) =>
    steps.flatMap(({ position, step }) => {
      if (!canBeToken(step, carrier)) return [];
      return [
        {
          path: formatPath(["gates", other, "knock", "steps", position, stepFields[step.kind]]),
          rule: "step-on-token-port",
          message: `is a packet that may carry a token for ${formatPath(["gates", index])}.`,
          fix: "Choose another port or size for the step.",
        },
      ];
    }),
  );
}

function canBeToken(step: Step, carrier: Carrier): boolean {
  const { payloadBytes } = tokenPlace(carrier);
  switch (step.kind) {
    case "tcp":
      return false;
    case "udp": {
      if (!sameCarrier(carrier, { kind: "udp", port: step.port })) return false;
      return step.payloadBytes === undefined || isTokenSize(step.payloadBytes, payloadBytes);
    }
    case "icmpEcho":
      return carrier.kind === "icmpEcho" && isTokenSize(step.payloadBytes, payloadBytes);
  }
}

function isTokenSize(bytes: number, payloadBytes: number): boolean {
  return bytes === payloadBytes || bytes === payloadBytes + 1;
}
