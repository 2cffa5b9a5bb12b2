import { tokenPlace } from "../knock/token-payload.js";
import type { Packet, PacketKind } from "../model/packet.js";
import { isStepPacket } from "../model/sequence.js";
import type { Progress, Reaction } from "../model/state.js";
import { stepsOf } from "../policy/knock.js";
import type { Gate } from "../policy/policy.js";
import type { Step } from "../policy/step.js";
import { formatMilliseconds } from "./capture/seconds.js";
import { compareWithStep } from "./near-step.js";

/** Why a door opened for a source, or stayed closed. */
export type Reason =
  | "open"
  | "allowed"
  | "denied"
  | "link-local"
  | "no-step"
  | "missing-step"
  | "too-late"
  | "wrong-order"
  | "put-back"
  | "retransmitted"
  | "wrong-protocol"
  | "wrong-size"
  | "two-sources"
  | "token-unread"
  | "token-unknown"
  | "token-spent"
  | "token-late"
  | "token-early"
  | "token-source"
  | "tried-too-early"
  | "tried-too-late";

/** Why a packet did not advance a knock, or reset it. */
export interface Cause {
  readonly reason: Reason;
  /** A clause. It names steps only by number. */
  readonly text: string;
  /** How many steps were taken when the packet came. */
  readonly taken: number;
  /** The number of the step that came too early. */
  readonly early?: number;
}

/** A packet that a gate's knock looked at, and what was known of its source at that time. */
export interface Observation {
  readonly gate: Gate;
  readonly packet: Packet;
  readonly reaction: Reaction;
  readonly before: Progress | undefined;
  /** For each step's number: the source port of the packet that took it last. */
  readonly sourcePorts: ReadonlyMap<number, number>;
}

/** Finds why a packet did not advance a knock. `undefined`: nothing was lost, and the packet is not like a step. */
export function findCause(observation: Observation): Cause | undefined {
  const { gate, packet, reaction, before } = observation;
  if (reaction.expired > 0) return findLateness(observation);
  const taken = before?.taken ?? 0;
  const cause = (reason: Reason, text: string): Cause => ({ reason, text, taken });
  const steps = stepsOf(gate);
  const isStep = (position: number): boolean => isStepAt(steps, position, packet);
  switch (reaction.kind) {
    case "again":
    case "step":
      if (taken > 0 && isStep(taken + 1) && reaction.taken <= taken) {
        const text = `step ${taken + 1} is like step ${taken} and came from the same source port, so it counts as step ${taken} sent again`;
        return cause("retransmitted", text);
      }
      return reaction.kind === "step" && reaction.taken <= taken && taken > 1
        ? findRepetition(observation, 1)
        : undefined;
    case "reset":
    case "stray": {
      const near = findNearMiss(observation);
      if (near !== undefined) return near;
      const later = steps.findIndex((_, index) => index > taken && isStep(index + 1)) + 1;
      if (later > 0)
        return { ...cause("wrong-order", `step ${later} came before step ${taken + 1}`), early: later };
      const earlier = steps.findIndex((_, index) => index < taken && isStep(index + 1)) + 1;
      if (earlier > 0) return findRepetition(observation, earlier);
      if (reaction.kind === "stray") return undefined;
      return cause("put-back", `another packet came between step ${taken} and step ${taken + 1}`);
    }
    case "opened":
    case "closed":
    case "refused":
    case "accepted":
    case "dropped":
      return undefined;
  }
}

function findLateness({ gate, packet, reaction, before }: Observation): Cause | undefined {
  if (gate.knock.kind === "token") return undefined;
  const { steps, stepTimeoutSeconds } = gate.knock;
  const taken = reaction.expired;
  const after = `${formatMilliseconds(packet.atMs - (before?.takenAtMs ?? 0))} after step ${taken}`;
  const limit = `stepTimeout is ${stepTimeoutSeconds} s`;
  return isStepAt(steps, taken + 1, packet)
    ? { reason: "too-late", text: `step ${taken + 1} came ${after}; ${limit}`, taken }
    : { reason: "missing-step", text: `step ${taken + 1} had not come ${after}; ${limit}`, taken };
}

/** Describes a step that was already taken and came again while a later one was due. */
function findRepetition({ packet, before, sourcePorts }: Observation, step: number): Cause {
  const taken = before?.taken ?? 0;
  const isSame = "sourcePort" in packet.kind && sourcePorts.get(step) === packet.kind.sourcePort;
  const text = `step ${step} came again after step ${taken}`;
  return isSame
    ? {
        reason: "retransmitted",
        text: `${text}, from the same source port: sent again by the client's system`,
        taken,
      }
    : { reason: "put-back", text, taken };
}

/** Finds a packet that is almost the step that was due. */
function findNearMiss({ gate, packet, before }: Observation): Cause | undefined {
  const taken = before?.taken ?? 0;
  const due = taken + 1;
  const step = stepsOf(gate)[taken];
  if (step === undefined) return undefined;
  const likeness = compareWithStep(step, packet.kind);
  switch (likeness.kind) {
    case "otherProtocol": {
      const { came, wanted } = likeness;
      return {
        reason: "wrong-protocol",
        text: `step ${due} came over ${came} and not over ${wanted}`,
        taken,
      };
    }
    case "otherSize": {
      const { moreBytes } = likeness;
      const bytes = `${Math.abs(moreBytes)} ${Math.abs(moreBytes) === 1 ? "byte" : "bytes"}`;
      const text = `step ${due} came with ${bytes} of payload too ${moreBytes > 0 ? "many" : "few"}`;
      return { reason: "wrong-size", text, taken };
    }
    case "step":
    case "other":
      return undefined;
  }
}

/** Finds a datagram to the port of a gate's tokens that can't carry one. Pings of any size are common. */
export function findWrongSize({ knock }: Gate, kind: PacketKind): readonly Cause[] {
  if (knock.kind !== "token" || knock.carrier.kind !== "udp") return [];
  if (kind.kind !== "udp" || kind.port !== knock.carrier.port) return [];
  const more = kind.payloadBytes - tokenPlace(knock.carrier).payloadBytes;
  if (more === 0 || more === 1) return [];
  const bytes = `${Math.abs(more)} ${Math.abs(more) === 1 ? "byte" : "bytes"}`;
  const text = `a datagram came to the port of tokens with ${bytes} too ${more > 0 ? "many" : "few"} for one`;
  return [{ reason: "wrong-size", text, taken: 0 }];
}

function isStepAt(steps: readonly Step[], position: number, packet: Packet): boolean {
  const step = steps[position - 1];
  return step !== undefined && isStepPacket(step, packet.kind);
}
