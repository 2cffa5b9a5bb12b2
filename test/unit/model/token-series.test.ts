// Whatever is sent, and whatever a host loses: what opens a door is a token that was never used before.
import fc from "fast-check";
import { expect, test } from "vitest";
import { isOpen, receivePacket } from "../../../src/model/machine";
import type { PacketKind, SentToken } from "../../../src/model/packet";
import { initialState, type Reaction, type State } from "../../../src/model/state";
import { fillTokens, type HeldTokens, loseTokens } from "../../../src/model/token";
import { listSlotsToTry } from "../../../src/policy/slots";
import { slotAt } from "../../../src/policy/token";
import { readPolicy } from "../policy/read-policy";
import { runs } from "../runs";

const users = ["ada", "ben", "eve"].map((name) => ({ name, key: `${name}-kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3u` }));
const host = "edge.example.org";
const policy = readPolicy({
  name: "edge",
  users: [...users.slice(0, 1), ...users.slice(1, 2).map((ben) => ({ ...ben, gates: ["ssh"] }))],
  tokens: { slotSeconds: 3_600, horizonDays: 1, graceSeconds: 600 },
  gates: [
    { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } },
    { name: "wiki", protect: [{ tcp: "80" }], knock: { token: { icmpEcho: true } } },
    { name: "web", protect: [{ tcp: "443" }], knock: { steps: [{ tcp: 7 }, { tcp: 9 }] } },
  ],
});
const [slotMs, graceMs, horizonSlots] = [3_600_000, 600_000, 24];
const beginMs = Date.UTC(2030, 0, 1);
const first = slotAt(beginMs, 3_600);
const sources = ["192.0.2.7", "2001:db8::7"] as const;

type Move =
  | { readonly kind: "send"; readonly packet: PacketKind; readonly source: string }
  | { readonly kind: "wait"; readonly minutes: number }
  | { readonly kind: "fill" | "lose" };

/** Few slots, users and gates, so that tokens come again. Mostly what is right, except in one or two parts. */
function move(): fc.Arbitrary<Move> {
  const often = <T>(value: T, ...others: readonly T[]) =>
    fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, fc.constantFrom(value, ...others));
  const token = (gate: string): fc.Arbitrary<SentToken> =>
    fc.record({
      policy: often("edge", "core"),
      gate: often(gate, "ssh", "wiki", "web"),
      host: often(host, "other.example.org"),
      slot: fc
        .oneof(
          { weight: 4, arbitrary: fc.integer({ min: -1, max: 3 }) },
          { weight: 1, arbitrary: fc.integer({ min: -3, max: 60 }) },
        )
        .map((slot) => first + slot),
      key: fc.constantFrom(...users.map(({ key }) => key)),
    });
  const more = often(0, 1, 2);
  const packet = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(token("ssh"), more, often(62_201, 7)).map(toDatagram) },
    { weight: 3, arbitrary: fc.tuple(token("wiki"), more).map(toPing) },
    { weight: 1, arbitrary: fc.constantFrom(22, 80, 7).map(toSyn) },
    {
      weight: 1,
      arbitrary: fc.constant<PacketKind>({ kind: "udp", port: 62_201, sourcePort: 1, payloadBytes: 16 }),
    },
  );
  const source = fc.constantFrom(...sources);
  return fc.oneof(
    { weight: 16, arbitrary: fc.record({ kind: fc.constant("send" as const), packet, source }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), minutes: fc.nat(90) }) },
    { weight: 1, arbitrary: fc.constantFrom<Move>({ kind: "fill" }, { kind: "fill" }, { kind: "lose" }) },
  );
}

const series = fc.array(move(), { minLength: 5, maxLength: 60, size: "max" });

function toDatagram([token, more, port]: readonly [SentToken, number, number]): PacketKind {
  return { kind: "udp", port, sourcePort: 1, payloadBytes: 16 + more, token };
}

function toPing([token, more]: readonly [SentToken, number]): PacketKind {
  return { kind: "echo", payloadBytes: 32 + more, token };
}

function toSyn(port: number): PacketKind {
  return { kind: "tcp", port, sourcePort: 1 };
}

interface Played {
  readonly atMs: number;
  readonly packet: PacketKind;
  readonly reaction: Reaction;
  /** How often the host had lost its tokens. */
  readonly losses: number;
}

function play(moves: readonly Move[]): readonly Played[] {
  const played: Played[] = [];
  let [atMs, losses] = [beginMs, 0];
  let state: State = { ...initialState, tokens: fillTokens(policy, host, atMs) };
  for (const each of moves) {
    const held = state.tokens ?? fillTokens(policy, host, atMs);
    switch (each.kind) {
      case "wait":
        atMs += each.minutes * 60_000;
        break;
      case "fill":
        state = { ...state, tokens: fillTokens(policy, host, atMs, held) };
        break;
      case "lose":
        state = { ...state, tokens: loseTokens(held) };
        losses++;
        break;
      case "send": {
        const { packet, source } = each;
        const { gates } = policy;
        const before = gates.map(({ name }) => isOpen(state, source, name, atMs));
        const outcome = receivePacket(policy, state, { atMs, source, kind: packet });
        state = outcome.state;
        played.push(...outcome.reactions.map((reaction) => ({ atMs, packet, reaction, losses })));
        for (const [index, { name }] of gates.entries()) {
          const own = outcome.reactions.filter(
            ({ gate, kind }) => gate === name && ["opened", "closed"].includes(kind),
          );
          // A door moves only by a token that says so.
          if (own.length === 0) expect(isOpen(state, source, name, atMs)).toBe(before[index]);
          else expect(isOpen(state, source, name, atMs)).toBe(own[0]?.kind === "opened");
        }
      }
    }
  }
  return played;
}

const moved = ({ reaction: { gate, kind } }: Played) =>
  gate !== "web" && (kind === "opened" || kind === "closed");
const tokenOf = ({ packet }: Played) => ("token" in packet ? packet.token : undefined);

test("a token moves a door at most once, however it is sent and whatever the host loses", () => {
  let [count, tried] = [0, 0];
  fc.assert(
    fc.property(series, (moves) => {
      const used = play(moves)
        .filter(moved)
        .map((each) => JSON.stringify(tokenOf(each)));
      expect(new Set(used).size).toBe(used.length);
      count += used.length;
      tried++;
    }),
    runs(200),
  );
  // A series is worth something only if doors move in it.
  expect(count).toBeGreaterThan(2 * tried);
});

test("only a token of the user, gate, host, size and time moves a door", () => {
  fc.assert(
    fc.property(series, (moves) => {
      for (const each of play(moves).filter(moved)) {
        const { packet, reaction, atMs } = each;
        const token = tokenOf(each);
        const bytes = "payloadBytes" in packet ? packet.payloadBytes : 0;
        expect(token).toMatchObject({ policy: "edge", host, gate: reaction.gate });
        expect(users.find(({ key }) => key === token?.key)?.name).toBe(reaction.user);
        expect(reaction.gate === "ssh" ? ["ada", "ben"] : ["ada"]).toContain(reaction.user);
        expect([packet.kind, bytes]).toEqual(
          reaction.gate === "ssh"
            ? ["udp", reaction.kind === "opened" ? 16 : 17]
            : ["echo", reaction.kind === "opened" ? 32 : 33],
        );
        expect(atMs).toBeLessThan(((token?.slot ?? 0) + 1) * slotMs + graceMs);
        // A loss puts the last slot one horizon further.
        const furthest = slotAt(atMs, 3_600) + horizonSlots + each.losses * (horizonSlots + 1);
        expect(token?.slot).toBeLessThanOrEqual(furthest);
      }
    }),
    runs(200),
  );
});

/** The slots of a client that open the first gate, in the order in which it tries them. */
function listGood(slots: readonly number[], atMs: number, held: HeldTokens): readonly number[] {
  let state: State = { ...initialState, tokens: held };
  return slots.filter((slot) => {
    const token = { policy: "edge", gate: "ssh", host, slot, key: users[0]?.key ?? "" };
    const kind = toDatagram([token, 0, 62_201]);
    const outcome = receivePacket(policy, state, { atMs, source: sources[0], kind });
    state = outcome.state;
    return outcome.reactions.some((reaction) => reaction.gate === "ssh" && reaction.kind === "opened");
  });
}

test("one of the slots that a client tries is good, after up to three losses", () => {
  fc.assert(
    fc.property(fc.nat(3), fc.nat(600), (losses, minutes) => {
      let held: HeldTokens = fillTokens(policy, host, beginMs);
      for (let lost = 0; lost < losses; lost++) held = fillTokens(policy, host, beginMs, loseTokens(held));
      const atMs = beginMs + minutes * 60_000;
      const slots = listSlotsToTry(slotAt(atMs, 3_600), policy.tokens);
      expect(listGood(slots, atMs, fillTokens(policy, host, atMs, held)).length).toBeGreaterThan(0);
    }),
  );
});

test("one of the first three is good for a clock that is behind by up to a horizon, or ahead by as much", () => {
  const held = fillTokens(policy, host, beginMs);
  for (let off = -horizonSlots; off <= horizonSlots; off++) {
    const slots = listSlotsToTry(first + off, policy.tokens).slice(0, 3);
    expect(listGood(slots, beginMs, held).length, `${off} slots`).toBeGreaterThan(0);
  }
});
