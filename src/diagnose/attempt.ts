import { initialState, type Reaction, receivePacket, type State } from "../model/machine.js";
import type { Packet } from "../model/packet.js";
import { isAllowed, isDenied, isLinkLocal } from "../policy/gate.js";
import type { Gate, Policy } from "../policy/policy.js";
import { type Cause, findCause } from "./cause.js";

/** How one gate reacted to one packet. */
export interface Happening {
  readonly gate: Gate;
  readonly reaction: Reaction;
  readonly cause: Cause | undefined;
  /** Time since the step before, if the packet took a step. */
  readonly sinceStepMs: number | undefined;
  /** When the door closes or closed. 0: it was never open. */
  readonly openUntilMs: number;
}

/** What one source did at one gate, from its first packet to its last. */
export interface Course {
  readonly source: string;
  readonly gate: Gate;
  /** Why no knock of the source counts, or why it needs none. */
  readonly listed: "allowed" | "denied" | "link-local" | undefined;
  readonly causes: Cause[];
  /** The numbers of the steps that packets took. */
  readonly steps: number[];
  /** For each step's number: the source port of the packet that took it last. */
  readonly sourcePorts: Map<number, number>;
  readonly openedAtMs: number[];
  readonly acceptedAtMs: number[];
  readonly droppedAtMs: number[];
  /** How many steps are taken now. */
  taken: number;
  openUntilMs: number;
}

/** One source's packets on a policy's model. */
export interface Way {
  /** One for each gate. They are updated with each received packet. */
  readonly courses: readonly Course[];
  receive(packet: Packet): readonly Happening[];
}

/** Follows only one source: the model treats sources separately. */
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
