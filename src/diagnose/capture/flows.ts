import type { CapturedPacket } from "./captured-packet.js";
import type { Segment, Transport } from "./segment.js";

/** How long a UDP or echo flow is remembered, without an answer and with one: Linux' defaults (nf_conntrack-sysctl). */
const unansweredMs = 30_000;
const answeredMs = 120_000;

interface Flow {
  readonly lastMs: number;
  readonly isAnswered: boolean;
}

/**
 * Keeps the packets that could begin a flow, in order of time: every SYN, and datagrams and echo requests of a flow
 * that has no answer yet. The kernel calls a flow with an answer established, and no gate looks at its packets.
 */
export function listBeginnings(segments: readonly Segment[]): readonly CapturedPacket[] {
  const flows = new Map<string, Flow>();
  const found: CapturedPacket[] = [];
  for (const segment of [...segments].sort((one, other) => one.atMs - other.atMs)) {
    const { atMs, source, destination, transport } = segment;
    if (transport.kind === "tcp") {
      if (transport.isBeginning) found.push({ atMs, source, destination, kind: toKind(transport) });
      continue;
    }
    const [there, back] = nameFlow(source, destination, transport);
    const own = findAlive(flows, there, atMs);
    const reverse = findAlive(flows, back, atMs);
    if (own === undefined && reverse !== undefined) {
      flows.set(back, { lastMs: atMs, isAnswered: true });
    } else if (transport.kind !== "echoReply") {
      flows.set(there, { lastMs: atMs, isAnswered: own?.isAnswered === true });
      if (own?.isAnswered === true) continue;
      const token = transport.token === undefined ? {} : { token: transport.token };
      found.push({ atMs, source, destination, kind: toKind(transport), ...token });
    }
  }
  return found;
}

function findAlive(flows: ReadonlyMap<string, Flow>, name: string, atMs: number): Flow | undefined {
  const flow = flows.get(name);
  if (flow === undefined) return undefined;
  return atMs - flow.lastMs < (flow.isAnswered ? answeredMs : unansweredMs) ? flow : undefined;
}

function toKind(transport: Transport): CapturedPacket["kind"] {
  switch (transport.kind) {
    case "tcp":
      return { kind: "tcp", port: transport.port, sourcePort: transport.sourcePort };
    case "udp": {
      const { port, sourcePort, payloadBytes } = transport;
      return { kind: "udp", port, sourcePort, payloadBytes };
    }
    case "echo":
    case "echoReply":
      return { kind: "echo", payloadBytes: transport.payloadBytes };
  }
}

/** Returns the flow's own name, and the name of the flow of its answers. */
function nameFlow(source: string, destination: string, transport: Transport): readonly [string, string] {
  if (transport.kind === "tcp" || transport.kind === "udp") {
    const { kind, sourcePort, port } = transport;
    return [
      `${kind} ${source} ${sourcePort} ${destination} ${port}`,
      `${kind} ${destination} ${port} ${source} ${sourcePort}`,
    ];
  }
  const other = transport.kind === "echo" ? "echoReply" : "echo";
  return [
    `${transport.kind} ${source} ${destination} ${transport.id}`,
    `${other} ${destination} ${source} ${transport.id}`,
  ];
}
