import { describeFault } from "../model/explain.js";
import type { Packet } from "../model/packet.js";
import { isProtected } from "../policy/gate.js";
import { stepsOf } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import type { GateEvent } from "./attempt.js";
import { formatMilliseconds } from "./capture/seconds.js";

/**
 * Describes a packet. Without secrets it shows only the numbers of protected ports: any other port may be a step's, or
 * close to one.
 */
export function describePacket(policy: Policy, { kind }: Packet, showSecrets: boolean): string {
  switch (kind.kind) {
    case "tcp":
    case "udp": {
      const isOpen = showSecrets || policy.gates.some((gate) => isProtected(gate, kind.kind, kind.port));
      const port = isOpen ? ` ${kind.port}` : "";
      const size = kind.kind === "udp" && showSecrets ? `, ${kind.payloadBytes} bytes` : "";
      return `${kind.kind.toUpperCase()}${port}${size}`;
    }
    case "echo":
      return showSecrets ? `ping, ${kind.payloadBytes} bytes` : "ping";
    case "established":
      return "of an established connection";
  }
}

/** Describes how gates reacted to a packet. Leaves out gates that did not react. */
export function describeEvents(
  events: readonly GateEvent[],
  { atMs }: Packet,
  beginMs: number,
): readonly string[] {
  return events.flatMap((event) => {
    const text = describe(event, atMs, beginMs);
    return text === undefined ? [] : [`${event.gate.name}: ${text}`];
  });
}

function describe(event: GateEvent, atMs: number, beginMs: number): string | undefined {
  const { gate, reaction, cause, sinceStepMs, openUntilMs } = event;
  const steps = stepsOf(gate).length;
  const why = cause === undefined ? "" : `${cause.text}; `;
  const since = (step: number): string => {
    return sinceStepMs === undefined || step < 2
      ? ""
      : ` ${formatMilliseconds(sinceStepMs)} after step ${step - 1}`;
  };
  const until = formatMilliseconds(openUntilMs - beginMs);
  switch (reaction.kind) {
    case "step": {
      const taken = `step ${reaction.taken} of ${steps} taken${since(reaction.taken)}`;
      const isRestart = cause !== undefined && reaction.taken === 1 && cause.reason !== "missing-step";
      return `${why}${isRestart && reaction.expired === 0 ? "the knock begins again: " : ""}${taken}`;
    }
    case "again":
      return `${why}step ${reaction.taken} once more, which changes nothing`;
    case "refused":
      return event.isRead ? describeFault(reaction.fault) : "of the size of a token, which was not read";
    case "closed":
      return `a token of ${reaction.user} closed the door`;
    case "opened":
      if (reaction.user !== undefined) return `a token of ${reaction.user}: the door is open until ${until}`;
      return `${why}step ${steps} of ${steps} taken${since(steps)}: the door is open until ${until}`;
    case "reset":
      return `${why}strict puts the source back to the start`;
    case "stray":
      if (reaction.expired > 0) return `${why}the steps so far are forgotten`;
      return cause === undefined ? undefined : `${cause.text}; ${reaction.taken} of ${steps} taken`;
    case "accepted":
      return `came through the open door, which closes at ${until}`;
    case "dropped": {
      if (gate.knock.kind === "token" && openUntilMs === 0) return "dropped at the closed door";
      if (openUntilMs > 0) return `dropped: the door closed ${formatMilliseconds(atMs - openUntilMs)} ago`;
      return `dropped at the closed door; ${reaction.taken} of ${steps} steps taken`;
    }
  }
}
