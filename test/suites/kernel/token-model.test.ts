// Series of right and wrong tokens, in the model and in the kernel: both must open and close the same doors, and hold
// the same tokens afterwards.
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import type { Packets } from "../../../lab/packets";
import { sendKnock } from "../../../lab/packets";
import { lowerForBackend } from "../../../src/backends/render";
import { receivePacket } from "../../../src/model/machine";
import type { PacketKind } from "../../../src/model/packet";
import { initialState, type State } from "../../../src/model/state";
import { type HeldTokens, loseTokens } from "../../../src/model/token";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";
import { type GatedLab, loadPolicy, openGatedLab, runNft } from "./gated-lab";
import { fillSets, firstSlot, listTokens, makeToken, sendToken, tokenHost, tokenPort } from "./token-lab";

const slots = 4;
const isDeep = process.env["KNOCKGATE_DEEP"] !== undefined;
const series = isDeep ? 1_000 : 60;
const hour = { openForSeconds: 3_600 };
const steps = [{ tcp: 7_411 }, { udp: 8_522 }, { tcp: 6_633 }];

const input: PolicyInput = {
  name: "edge",
  users: [
    { name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" },
    { name: "ben", key: "Zx8Lw3Qe1Rt6Yu9Io2Pa5Sd7Fg0Hj4Kl_Zc-VbNmAqW", gates: ["ssh"] },
  ],
  gates: [
    { name: "ssh", protect: [{ tcp: "4022" }], knock: { token: { udp: tokenPort } }, ...hour },
    { name: "wiki", protect: [{ tcp: "4023" }], knock: { token: { udp: tokenPort } }, ...hour },
    { name: "mail", protect: [{ tcp: "4024" }], knock: { token: { udp: 53 } }, ...hour },
    { name: "web", protect: [{ tcp: "4025" }], knock: { steps, stepTimeoutSeconds: 3_600 }, ...hour },
  ],
  limits: { firstStepsPerSecond: 0 },
};
const policy = readPolicy(input);
const gates = policy.gates.map(({ name }) => name);

type Move =
  | {
      readonly kind: "token";
      readonly isOther: boolean;
      readonly isPortOfGate: boolean;
      readonly user: string;
      readonly gate: string;
      readonly host: string;
      readonly slot: number;
      readonly more: number;
    }
  | { readonly kind: "step"; readonly isOther: boolean; readonly step: number }
  | { readonly kind: "loss" }
  /** A token of before once more, from either source. */
  | { readonly kind: "again"; readonly isOther: boolean; readonly back: number };

/** Mostly what is right or nearly right, so that doors open and close, and tokens are used twice. */
function move(): fc.Arbitrary<Move> {
  const often = <T>(value: T, ...others: T[]) =>
    fc.oneof({ weight: 4, arbitrary: fc.constant(value) }, fc.constantFrom(value, ...others));
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant("token" as const),
        isOther: fc.boolean(),
        isPortOfGate: often(true, false),
        user: fc.constantFrom("ada", "ben"),
        gate: often("ssh", "wiki", "mail", "web"),
        host: often(tokenHost, "other.example.org"),
        slot: fc.integer({ min: 0, max: slots + 1 }),
        more: often(0, 1, 1, 2, -1),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant("step" as const),
        isOther: often(false, true),
        step: fc.nat(2),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "loss" as const }) },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant("again" as const), isOther: fc.boolean(), back: fc.nat(3) }),
    },
  );
}

let gated: GatedLab;
beforeAll(async () => {
  gated = await openGatedLab(1);
});
afterAll(() => gated?.close());

test("the kernel opens and closes for the same tokens as the model", async () => {
  const host = gated.keepHost();
  const all = fc.sample(fc.array(move(), { minLength: 4, maxLength: 30 }), series);
  let opened = 0;
  for (const generated of all) {
    const moves = repeatTokens(generated);
    const [found, expected] = await playSeries(host, moves);
    expect({ moves, ...found }).toEqual({ moves, ...expected });
    opened += found.doors.length;
  }
  // The series are worth something only if many of them open doors.
  expect(opened).toBeGreaterThan(series / 3);
});

/** What the kernel has after a series, and what the model says. */
async function playSeries(host: LabHost, moves: readonly Exclude<Move, { kind: "again" }>[]) {
  await loadPolicy(host, input);
  await fillSets(host, policy, slots);
  let state: State = { ...initialState, tokens: hold(firstSlot) };
  for (const [index, each] of moves.entries()) state = await play(host, state, each, index);
  const found = { doors: await listDoors(host), left: await listLeft(host) };
  return [found, { doors: expectDoors(state), left: expectLeft(state) }] as const;
}

/** Puts the token in the place of each move that says it again. */
function repeatTokens(moves: readonly Move[]): readonly Exclude<Move, { kind: "again" }>[] {
  const tokens: Extract<Move, { kind: "token" }>[] = [];
  return moves.flatMap((each) => {
    if (each.kind !== "again") {
      if (each.kind === "token") tokens.push(each);
      return [each];
    }
    const before = tokens.at(-1 - each.back);
    return before === undefined ? [] : [{ ...before, isOther: each.isOther }];
  });
}

function hold(first: number): HeldTokens {
  return { host: tokenHost, firstSlot: first, lastSlot: first + slots - 1, spent: new Set() };
}

async function play(
  host: LabHost,
  state: State,
  each: Exclude<Move, { kind: "again" }>,
  index: number,
): Promise<State> {
  if (each.kind === "loss") {
    const lost = loseTokens(state.tokens ?? hold(firstSlot));
    await runNft(
      host,
      lowerForBackend(policy)
        .tokenSets.map(({ name }) => `flush set inet knockgate_edge ${name}\n`)
        .join(""),
    );
    await fillSets(host, policy, slots, "5m", lost.firstSlot);
    return { ...state, tokens: { ...lost, lastSlot: lost.firstSlot + slots - 1 } };
  }
  const client = each.isOther ? gated.other : gated.knocker;
  const receive = (kind: PacketKind) =>
    receivePacket(policy, state, { atMs: firstSlot * 60_000 + index, source: client.ipv4, kind }).state;
  const sourcePort = 40_000 + index;
  if (each.kind === "step") {
    const step = steps[each.step];
    const packets: Packets["steps"] = step === undefined ? [] : [step as { tcp: number } | { udp: number }];
    await sendKnock(client, { to: host.ipv4, steps: packets, sourcePort });
    const port = step?.tcp ?? step?.udp ?? 0;
    return receive(
      step?.tcp === undefined
        ? { kind: "udp", port, sourcePort, payloadBytes: 5 }
        : { kind: "tcp", port, sourcePort },
    );
  }
  const { user, gate, host: meant, isPortOfGate, more } = each;
  const port = (gate === "mail") === isPortOfGate ? 53 : tokenPort;
  const slot = firstSlot + each.slot;
  const token = makeToken(policy, { user, gate, host: meant, slot });
  await sendToken(client, host.ipv4, { kind: "udp", port }, token, more);
  const key = policy.users.find(({ name }) => name === user)?.key ?? "";
  const sent = { policy: policy.name, gate, host: meant, slot, key };
  return receive({ kind: "udp", port, sourcePort, payloadBytes: 16 + more, token: sent });
}

async function listDoors(host: LabHost): Promise<readonly string[]> {
  const { stdout } = await host.run(["nft", "list", "table", "inet", "knockgate_edge"]);
  return gates
    .flatMap((gate) => {
      const set = new RegExp(`set ${gate}_open_v4 \\{[^}]*elements = \\{([^}]*)\\}`).exec(stdout)?.[1] ?? "";
      return (set.match(/\d+\.\d+\.\d+\.\d+/g) ?? []).map((source) => `${gate} ${source}`);
    })
    .sort();
}

function expectDoors({ sources }: State): readonly string[] {
  return [...sources]
    .flatMap(([source, known]) =>
      [...known].flatMap(([gate, { openUntilMs }]) =>
        openUntilMs > firstSlot * 60_000 + 1_000_000 ? [`${gate} ${source}`] : [],
      ),
    )
    .sort();
}

/** The tokens of each user at each gate that the host holds. */
async function listLeft(host: LabHost): Promise<string> {
  return (await listTokens(host, policy)).split("\n").slice(1).join("\n");
}

function expectLeft({ tokens = hold(firstSlot) }: State): string {
  const { tokenSets } = lowerForBackend(policy);
  return tokenSets
    .flatMap(({ owner }) => {
      if (owner === undefined) return [];
      const { gate, user } = owner;
      const left = Array.from({ length: slots }, (_, index) => tokens.firstSlot + index)
        .filter((slot) => !tokens.spent.has(`${gate} ${user} ${slot}`))
        .map((slot) => `0x${makeToken(policy, { gate, user, slot }).replace(/^0+/, "")}`);
      return [left.sort().join(" ")];
    })
    .join("\n");
}
