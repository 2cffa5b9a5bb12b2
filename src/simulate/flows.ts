import type { CapturedPacket } from "./captured-packet.js";
import type { Segment, Transport } from "./segment.js";

/** How long a UDP or echo flow is remembered: by Linux' defaults, without an answer and with one (nf_conntrack-sysctl). */
const unansweredMs = 30_000;
const answeredMs = 120_000;

interface Flow {
  readonly lastMs: number;
  readonly isAnswered: boolean;
}

/**
 * Leaves of a conversation what could begin something, in order of time: SYNs, whatever came before them, and datagrams and
 * echo requests of no flow that was answered already. What belongs to such a flow the kernel calls established, and no gate
 * looks at it.
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
      if (own?.isAnswered !== true) found.push({ atMs, source, destination, kind: toKind(transport) });
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

/** By itself, and by what its answers are. */
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
