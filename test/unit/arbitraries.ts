import fc from "fast-check";
import type { PolicyInput } from "../../src/policy/policy";
import type { Prefix } from "../../src/policy/prefix";

/** Protected ports lie below the ports of steps, so that no step can hit one. */
const firstStepPort = 20_000;

/** A valid policy: several gates, each with its own range of ports, and steps that may repeat. */
export function policyInput(): fc.Arbitrary<PolicyInput> {
  return fc
    .record(
      {
        name: gateName(),
        gates: fc.uniqueArray(gateInput(), { minLength: 1, maxLength: 4, selector: (gate) => gate.name }),
        allowFrom: fc.array(prefixText(), { maxLength: 6 }),
        denyFrom: fc.array(prefixText(), { maxLength: 3 }),
        scope: fc.constantFrom("input", "prerouting"),
        stealth: fc.boolean(),
        log: logInput(),
        limits: fc.record(
          {
            sources: fc.integer({ min: 16, max: 1_048_576 }),
            firstStepsPerSecond: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 10_000 })),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ["name", "gates", "allowFrom"] },
    )
    .map(({ gates, ...more }) => ({ ...more, gates: gates.map(moveApart) }) as PolicyInput);
}

function logInput(): fc.Arbitrary<PolicyInput["log"]> {
  return fc.record(
    {
      events: fc.uniqueArray(fc.constantFrom("opened", "accepted", "dropped", "reset"), { minLength: 1 }),
      prefix: fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/),
      perMinute: fc.integer({ min: 1, max: 10_000 }),
    },
    { requiredKeys: ["events"] },
  ) as fc.Arbitrary<PolicyInput["log"]>;
}

type GateInput = PolicyInput["gates"][number];

/** Gate number n protects ports from 4,000 × n + 1 on. */
function moveApart(gate: GateInput, index: number): GateInput {
  const move = (text: string) =>
    text
      .split("-")
      .map((port) => Number(port) + index * 4_000)
      .join("-");
  return {
    ...gate,
    protect: gate.protect.map(({ tcp, udp }) =>
      tcp === undefined ? { udp: move(udp ?? "") } : { tcp: move(tcp) },
    ),
  };
}

function gateInput(): fc.Arbitrary<GateInput> {
  return fc.record(
    {
      name: gateName(),
      protect: fc.array(fc.tuple(protocol(), portRangeText()).map(toEntry), { minLength: 1, maxLength: 4 }),
      knock: fc.record(
        {
          steps: fc.array(step(), { minLength: 1, maxLength: 16 }),
          stepTimeoutSeconds: fc.integer({ min: 1, max: 86_400 }),
          strict: fc.boolean(),
        },
        { requiredKeys: ["steps"] },
      ),
      openForSeconds: fc.integer({ min: 1, max: 86_400 }),
    },
    { requiredKeys: ["name", "protect", "knock"] },
  );
}

function toEntry([kind, text]: readonly ["tcp" | "udp", string]) {
  return kind === "tcp" ? { tcp: text } : { udp: text };
}

type StepInput = NonNullable<GateInput["knock"]["steps"]>[number];

function step(): fc.Arbitrary<StepInput> {
  // Ports from a small range, so that sequences repeat some, and from the whole range.
  const port = fc.oneof(
    fc.integer({ min: firstStepPort, max: firstStepPort + 3 }),
    fc.integer({ min: firstStepPort, max: 65_535 }),
  );
  const size = fc.oneof(fc.constantFrom(0, 1, 1_232), fc.integer({ min: 0, max: 1_232 }));
  return fc.oneof(
    { arbitrary: port.map((tcp) => ({ tcp })), weight: 4 },
    { arbitrary: port.map((udp) => ({ udp })), weight: 3 },
    {
      arbitrary: fc.tuple(port, size).map(([udp, udpPayloadBytes]) => ({ udp, udpPayloadBytes })),
      weight: 1,
    },
    { arbitrary: size.map((icmpPayloadBytes) => ({ icmpPayloadBytes })), weight: 1 },
  );
}

function protocol(): fc.Arbitrary<"tcp" | "udp"> {
  return fc.constantFrom("tcp", "udp");
}

function portRangeText(): fc.Arbitrary<string> {
  const port = fc.integer({ min: 1, max: 4_000 });
  return fc.oneof(
    port.map((value) => `${value}`),
    fc.tuple(port, port).map((ends) => `${Math.min(...ends)}-${Math.max(...ends)}`),
  );
}

export function gateName(): fc.Arbitrary<string> {
  return fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
}

/** A prefix as a number, so that a test can count without the code it tests. */
export interface NumberedPrefix {
  readonly family: Prefix["family"];
  readonly first: bigint;
  readonly length: number;
}

export function numberedPrefix(): fc.Arbitrary<NumberedPrefix> {
  return fc.oneof(numberedPrefixOf("ipv4", 32), numberedPrefixOf("ipv6", 128));
}

function numberedPrefixOf(family: Prefix["family"], bits: number): fc.Arbitrary<NumberedPrefix> {
  // 2000::/3, so that no IPv6 prefix lies among IPv4-mapped addresses. Few networks, so that prefixes overlap.
  const base = family === "ipv4" ? 10n << 24n : 0x2001_0db8n << 96n;
  const few = fc.bigInt({ min: 0n, max: 7n }).map((value) => base + (value << BigInt(bits - 16)));
  const any =
    family === "ipv4"
      ? fc.bigInt({ min: 0n, max: 2n ** 32n - 1n })
      : fc.bigInt({ min: 2n ** 125n, max: 2n ** 126n - 1n });
  return fc.tuple(fc.oneof(few, any), fc.integer({ min: 1, max: bits })).map(([address, length]) => {
    const hostBits = BigInt(bits - length);
    return { family, first: (address >> hostBits) << hostBits, length };
  });
}

function prefixText(): fc.Arbitrary<string> {
  return numberedPrefix().map(writePrefix);
}

/** The longest spelling of an address. */
export function writePrefix({ family, first, length }: NumberedPrefix): string {
  return `${writeAddress(family, first)}/${length}`;
}

function writeAddress(family: Prefix["family"], address: bigint): string {
  const [parts, bits] = family === "ipv4" ? [4, 8n] : [8, 16n];
  const numbers = Array.from({ length: parts }, (_, index) => {
    return (address >> (BigInt(parts - 1 - index) * bits)) & (2n ** bits - 1n);
  });
  return family === "ipv4"
    ? numbers.join(".")
    : numbers.map((number) => number.toString(16).padStart(4, "0")).join(":");
}

/** A policy with one place changed: mostly wrong, but always nearly right. */
export function nearMissPolicy(): fc.Arbitrary<unknown> {
  const change = fc.oneof(
    fc.record({ kind: fc.constant("replace" as const), by: fc.oneof(fc.anything(), awkwardValue()) }),
    fc.record({ kind: fc.constant("remove" as const) }),
    fc.record({ kind: fc.constant("add" as const), key: fc.string(), by: fc.anything() }),
  );
  return changeSomewhere(policyInput(), change);
}

/** A policy with one value replaced. */
export function replaceSomewhere(
  policy: fc.Arbitrary<PolicyInput>,
  by: fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  return changeSomewhere(
    policy,
    by.map((value) => ({ kind: "replace", by: value })),
  );
}

function changeSomewhere(
  policy: fc.Arbitrary<PolicyInput>,
  change: fc.Arbitrary<Change>,
): fc.Arbitrary<unknown> {
  return fc.tuple(policy, fc.nat(), change).map(([right, choice, what]) => {
    const copy: unknown = structuredClone(right);
    const places = listPlaces(copy);
    const place = places[choice % places.length];
    if (place !== undefined) applyChange(place, what);
    return copy;
  });
}

function awkwardValue(): fc.Arbitrary<unknown> {
  return fc.constantFrom<unknown>(
    ...[0, -1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 10n, null, undefined, "", "22"],
    ...["22-", "0", "9-8", "0.0.0.0/0", "::/0", "::ffff:192.0.2.1", "10.0.0.1/8", [], {}, [[]], [{}], true],
  );
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

type Change =
  | { readonly kind: "replace"; readonly by: unknown }
  | { readonly kind: "remove" }
  | { readonly kind: "add"; readonly key: string; readonly by: unknown };

function applyChange({ holder, key }: Place, change: Change): void {
  switch (change.kind) {
    case "replace":
      holder[key] = change.by;
      return;
    case "remove":
      delete holder[key];
      return;
    case "add":
      // defineProperty, because an assignment to "__proto__" would not add a field. A list's length stays as it is.
      Reflect.defineProperty(holder, change.key, { value: change.by, enumerable: true, configurable: true });
  }
}

function listPlaces(value: unknown): readonly Place[] {
  if (!isHolder(value)) return [];
  return Object.keys(value).flatMap((key) => [{ holder: value, key }, ...listPlaces(value[key])]);
}

function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
