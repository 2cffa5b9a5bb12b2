import { initialState, type Reaction, receivePacket, type State } from "../model/machine.js";
import type { Packet } from "../model/packet.js";
import { isAllowed, isDenied, isLinkLocal } from "../policy/gate.js";
import type { Gate, Policy } from "../policy/policy.js";
import { type Cause, findCause } from "./cause.js";

/** What one gate made of one packet. */
export interface Happening {
  readonly gate: Gate;
  readonly reaction: Reaction;
  readonly cause: Cause | undefined;
  /** Since the step before, for a packet that took one. */
  readonly sinceStepMs: number | undefined;
  /** Until when the door is open, or was; 0 when it never was. */
  readonly openUntilMs: number;
}

/** How one source fared with one gate, from its first packet to its last. */
export interface Course {
  readonly source: string;
  readonly gate: Gate;
  /** Why no knock of the source counts, or none is needed. */
  readonly listed: "allowed" | "denied" | "link-local" | undefined;
  readonly causes: Cause[];
  /** Numbers of the steps that packets took. */
  readonly steps: number[];
  /** Source ports, by the step that their packet took last. */
  readonly sourcePorts: Map<number, number>;
  readonly openedAtMs: number[];
  readonly acceptedAtMs: number[];
  readonly droppedAtMs: number[];
  /** Steps taken in a row at the end. */
  taken: number;
  openUntilMs: number;
}

/** One source's way through a policy's model. */
export interface Way {
  /** One for each gate, kept up with what is received. */
  readonly courses: readonly Course[];
  receive(packet: Packet): readonly Happening[];
}

/** Follows one source alone: the model keeps what sources do apart. */
export function followSource(policy: Policy, source: string): Way {
  const listed = listSource(policy, source);
  const courses = policy.gates.map((gate) => beginCourse(source, gate, listed));
  let state: State = initialState;
  const receive = (packet: Packet): readonly Happening[] => {
    const known = state.get(source);
    const outcome = receivePacket(policy, state, packet);
    state = outcome.state;
    return outcome.reactions.flatMap((reaction) => {
      const course = courses.find(({ gate }) => gate.name === reaction.gate);
      if (course === undefined) return [];
      const before = known?.get(reaction.gate);
      const { gate, sourcePorts } = course;
      const cause = findCause({ gate, packet, reaction, before, sourcePorts });
      const isOn = reaction.expired === 0 && (before?.taken ?? 0) > 0;
      const sinceStepMs = isOn ? packet.atMs - (before?.takenAtMs ?? 0) : undefined;
      const openUntilMs = state.get(source)?.get(gate.name)?.openUntilMs ?? 0;
      record(course, packet, reaction, cause, openUntilMs);
      return [{ gate, reaction, cause, sinceStepMs, openUntilMs }];
    });
  };
  return { courses, receive };
}

function listSource(policy: Policy, source: string): Course["listed"] {
  if (isDenied(policy, source)) return "denied";
  if (isAllowed(policy, source)) return "allowed";
  return isLinkLocal(source) ? "link-local" : undefined;
}

export function beginCourse(source: string, gate: Gate, listed: Course["listed"]): Course {
  return {
    source,
    gate,
    listed,
    causes: [],
    steps: [],
    sourcePorts: new Map(),
    openedAtMs: [],
    acceptedAtMs: [],
    droppedAtMs: [],
    taken: 0,
    openUntilMs: 0,
  };
}

function record(
  course: Course,
  { atMs, kind }: Packet,
  reaction: Reaction,
  cause: Cause | undefined,
  openUntilMs: number,
): void {
  if (cause !== undefined) course.causes.push(cause);
  course.openUntilMs = openUntilMs;
  switch (reaction.kind) {
    case "step":
    case "opened": {
      const step = reaction.kind === "opened" ? course.gate.knock.steps.length : reaction.taken;
      course.steps.push(step);
      if ("sourcePort" in kind) course.sourcePorts.set(step, kind.sourcePort);
      if (reaction.kind === "opened") course.openedAtMs.push(atMs);
      course.taken = reaction.taken;
      return;
    }
    case "again":
    case "reset":
    case "stray":
      course.taken = reaction.taken;
      return;
    case "accepted":
      course.acceptedAtMs.push(atMs);
      return;
    case "dropped":
      course.droppedAtMs.push(atMs);
      return;
  }
}
