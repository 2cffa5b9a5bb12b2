import { setTimeout as sleep } from "node:timers/promises";
import { renderPolicy } from "../../../src/backends/render";
import { receivePacket } from "../../../src/model/machine";
import type { PacketKind } from "../../../src/model/packet";
import { initialState } from "../../../src/model/state";
import type { Policy } from "../../../src/policy/policy";
import { doorShapes, type Move, pauseMs, type Series, type Shape } from "../../unit/model/generate";
import {
  address,
  type FramePacket,
  nameFlow,
  readAnswer,
  refusalOf,
  type SourceAddress,
  writeFrame,
} from "./model-frame";
import type { ModelMachine, Variant } from "./model-machine";

/** A series on which the model and the kernel disagree. */
export interface Disagreement {
  readonly series: Series;
  /** The packets in their order, each with both verdicts if they differ. */
  readonly story: readonly string[];
}

export interface Played {
  readonly disagreements: readonly Disagreement[];
  /** How often a door was tried and found open, by model and kernel alike. */
  readonly openCount: number;
  readonly closedCount: number;
}

interface SentPacket {
  readonly source: SourceAddress;
  readonly packet: FramePacket;
  /** The number of pauses before it. */
  readonly part: number;
  /** Whether the network doubled it. */
  readonly isAgain: boolean;
  readonly isLook: boolean;
}

/** A small group at a time, so that the others make no packet late: a machine may be slow. */
const groupSize = 5;
const longestGroupMs = 700;
const mostTries = 5;
/** xt_recent remembers a hundred sources, and a series has four. */
export const mostSeriesAtOnce = 24;

let nextHost = 1;

/**
 * Sends series to a machine that has just loaded the policy, and to the model. All series go at once, each from its own
 * sources. Nothing listens on the machine, so a packet that passes is answered: a SYN by a reset, a datagram by an
 * error, an echo request by its reply.
 */
export async function playSeries(
  machine: ModelMachine,
  variant: Variant,
  policy: Policy,
  list: readonly Series[],
): Promise<Played> {
  const text = renderPolicy(policy);
  for (let tries = 0; tries < mostTries; tries++) {
    await machine.load(variant, text);
    const sent = list.map((each) => spellOut(policy, each));
    const answers = await sendAll(machine, sent);
    if (answers === "too slow") continue;
    const expected = sent.map((packets) => predict(policy, packets));
    const looks = sent.flatMap((packets, index) => {
      return (expected[index] ?? []).filter((_, place) => packets[place]?.isLook === true);
    });
    const openCount = looks.filter((isOpen) => isOpen).length;
    const disagreements = list.flatMap((series, index) => {
      const [packets, passes] = [sent[index] ?? [], expected[index] ?? []];
      const wrong = findDifferences(packets, passes, answers);
      return wrong.size === 0 ? [] : [{ series, story: tell(packets, passes, answers, wrong) }];
    });
    return { disagreements, openCount, closedCount: looks.length - openCount };
  }
  throw new Error(`this machine is too slow: ${mostTries} times packets took more than ${longestGroupMs} ms`);
}

/** Gives each move its source, and each packet its source port or id. The same move object again is the same packet. */
function spellOut(policy: Policy, { moves, isIpv6, network }: Series): readonly SentPacket[] {
  const [own, other] = [nextHost++, nextHost++].map((host) => ({
    ipv4: address("ipv4", [198, 18, (network << 6) | ((host >> 8) & 63), host & 255]),
    ipv6: address("ipv6", [0xfd88, 0, 0, network, 0, 0, 0, host & 0x3fff]),
  }));
  if (own === undefined || other === undefined) throw new Error("no sources");
  const sources = [own, other].flatMap(({ ipv4, ipv6 }) => (isIpv6 ? [ipv6, ipv4] : [ipv4, ipv6]));
  const numbers = new Map<Move, number>();
  let nextNumber = 1_024;
  let part = 0;
  const doors = policy.gates.flatMap(doorShapes);
  return [...moves, { kind: "look" } as const].flatMap((move): readonly SentPacket[] => {
    if (move.kind === "pause") {
      part++;
      return [];
    }
    if (move.kind === "look") {
      return doors.flatMap((door) =>
        sources.map((source) => {
          return { source, packet: number(door, nextNumber++), part, isAgain: false, isLook: true };
        }),
      );
    }
    const isAgain = numbers.has(move);
    const value = numbers.get(move) ?? nextNumber++;
    numbers.set(move, value);
    const source = sources[(move.isOther ? 2 : 0) + (move.isOtherFamily ? 1 : 0)] ?? own.ipv4;
    return [{ source, packet: number(move.shape, value), part, isAgain, isLook: false }];
  });
}

function number(shape: Shape, value: number): FramePacket {
  return shape.kind === "echo" ? { ...shape, id: value } : { ...shape, sourcePort: value };
}

/** Resolves with the number of answers of each flow. */
async function sendAll(
  machine: ModelMachine,
  sent: readonly (readonly SentPacket[])[],
): Promise<ReadonlyMap<string, number> | "too slow"> {
  const answers = new Map<string, number>();
  const parts = 1 + Math.max(0, ...sent.flat().map(({ part }) => part));
  for (let part = 0; part < parts; part++) {
    if (part > 0) await sleep(pauseMs);
    for (let first = 0; first < sent.length; first += groupSize) {
      const group = sent.slice(first, first + groupSize);
      const now = interleave(group.map((packets) => packets.filter((each) => each.part === part)));
      const begin = performance.now();
      for (const frame of await exchange(machine, now)) {
        const flow = readAnswer(frame);
        if (flow !== undefined) answers.set(flow, (answers.get(flow) ?? 0) + 1);
      }
      if (performance.now() - begin > longestGroupMs) return "too slow";
    }
  }
  return answers;
}

let nextFencePort = 1_024;

/** The last packet is one that is always answered: after its answer all others are there. */
async function exchange(machine: ModelMachine, packets: readonly SentPacket[]): Promise<readonly string[]> {
  const source = address("ipv4", [198, 19, 255, 254]);
  nextFencePort = nextFencePort === 65_535 ? 1_024 : nextFencePort + 1;
  const fence = writeFrame(source, { kind: "tcp", port: 9, sourcePort: nextFencePort });
  const frames = packets.map((each) => writeFrame(each.source, each.packet));
  return machine.exchange([...frames, fence], refusalOf(source, 9, nextFencePort));
}

function interleave<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, index) =>
    lists.flatMap((list) => list.slice(index, index + 1)),
  ).flat();
}

/** The model's verdicts: whether each packet passes. */
function predict(policy: Policy, packets: readonly SentPacket[]): readonly boolean[] {
  let state = initialState;
  return packets.map(({ source, packet, part, isAgain }, index) => {
    const atMs = 1 + part * pauseMs + index / 1_000;
    const kind: PacketKind = packet.kind === "echo" && isAgain ? { kind: "established" } : packet;
    const outcome = receivePacket(policy, state, { atMs, source: source.text, kind });
    state = outcome.state;
    return outcome.verdict !== "dropped";
  });
}

/** Returns the positions of packets on which the two differ. */
function findDifferences(
  packets: readonly SentPacket[],
  expected: readonly boolean[],
  answers: ReadonlyMap<string, number>,
): ReadonlySet<number> {
  const wanted = new Map<string, number>();
  for (const [index, each] of packets.entries()) {
    const flow = nameFlow(each.source, each.packet);
    wanted.set(flow, (wanted.get(flow) ?? 0) + (expected[index] === true ? 1 : 0));
  }
  return new Set(
    packets.flatMap((each, index) => {
      const flow = nameFlow(each.source, each.packet);
      return wanted.get(flow) === (answers.get(flow) ?? 0) ? [] : [index];
    }),
  );
}

/** Leaves out looks with the expected result. */
function tell(
  packets: readonly SentPacket[],
  expected: readonly boolean[],
  answers: ReadonlyMap<string, number>,
  wrong: ReadonlySet<number>,
): readonly string[] {
  return packets.flatMap(({ source, packet, part, isLook, isAgain }, index) => {
    const isWrong = wrong.has(index);
    if (isLook && !isWrong) return [];
    const times = answers.get(nameFlow(source, packet)) ?? 0;
    const verdict = isWrong
      ? ` <- the model says it ${expected[index] === true ? "passes" : "is dropped"}, the kernel answered ${times} times`
      : "";
    const pauses = `${"pause, ".repeat(part - (packets[index - 1]?.part ?? 0))}`;
    const { kind, ...what } = packet;
    return [`${pauses}${source.text}: ${kind} ${JSON.stringify(what)}${isAgain ? " again" : ""}${verdict}`];
  });
}
