import { tokenBytes, tokenPlace } from "../../knock/token-payload.js";
import type { Carrier } from "../../policy/carrier.js";
import { formatAddress } from "./address.js";
import { skipBytes } from "./frame.js";
import type { Segment, Skip, Transport } from "./segment.js";

/** The length of a header of UDP, and of one of an echo request. */
const headerBytes = 8;

const protocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 };

/**
 * Hop-by-hop, routing, destination, mobility, HIP and Shim6. Their length is in units of 8 bytes and does not count the
 * first unit.
 */
const plainExtensions: readonly number[] = [0, 43, 60, 135, 139, 140];
const fragmentExtension = 44;
/** Its length is in units of 4 bytes and does not count the first two units (RFC 4302, 2.2). */
const authenticationExtension = 51;

/**
 * What an IP header says of its payload. `bytes` is the payload's length when it was sent, even if less was captured.
 */
interface Payload {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly bytes: number;
  readonly view: DataView;
}

/** Reads an IPv4 or IPv6 packet. Its end may be missing. */
export function readIpPacket(packet: DataView, atMs: number): Segment | Skip {
  if (packet.byteLength === 0) return "cut short";
  const version = packet.getUint8(0) >> 4;
  if (version !== 4 && version !== 6) return "not IP";
  const payload = version === 4 ? readIpv4(packet) : readIpv6(packet);
  if (typeof payload === "string") return payload;
  const transport = readTransport(payload);
  if (typeof transport === "string") return transport;
  return { atMs, source: payload.source, destination: payload.destination, transport };
}

function readIpv4(packet: DataView): Payload | Skip {
  if (packet.byteLength < 20) return "cut short";
  const headerBytes = (packet.getUint8(0) & 0x0f) * 4;
  if (headerBytes < 20) return "not IP";
  if (packet.byteLength < headerBytes) return "cut short";
  if ((packet.getUint16(6) & 0x1fff) !== 0) return "later fragment";
  // The total length is 0 in a large packet that the network card splits by itself.
  const totalBytes = packet.getUint16(2) || packet.byteLength;
  return {
    source: readAddressAt(packet, 12, 4),
    destination: readAddressAt(packet, 16, 4),
    protocol: packet.getUint8(9),
    bytes: Math.max(0, totalBytes - headerBytes),
    view: skipBytes(packet, headerBytes),
  };
}

function readIpv6(packet: DataView): Payload | Skip {
  if (packet.byteLength < 40) return "cut short";
  let at = 40;
  let protocol = packet.getUint8(6);
  // The length is 0 in a jumbogram (RFC 2675, 3), or in a large packet that the network card splits.
  const totalBytes = 40 + (packet.getUint16(4) || packet.byteLength - 40);
  for (;;) {
    const isFragment = protocol === fragmentExtension;
    if (!isFragment && protocol !== authenticationExtension && !plainExtensions.includes(protocol)) break;
    if (packet.byteLength < at + 8) return "cut short";
    if (isFragment && packet.getUint16(at + 2) >> 3 !== 0) return "later fragment";
    const length = packet.getUint8(at + 1);
    const bytes = isFragment ? 8 : protocol === authenticationExtension ? (length + 2) * 4 : (length + 1) * 8;
    protocol = packet.getUint8(at);
    at += bytes;
    if (packet.byteLength < at) return "cut short";
  }
  return {
    source: readAddressAt(packet, 8, 16),
    destination: readAddressAt(packet, 24, 16),
    protocol,
    bytes: Math.max(0, totalBytes - at),
    view: skipBytes(packet, at),
  };
}

function readTransport({ protocol, bytes, view }: Payload): Transport | Skip {
  switch (protocol) {
    case protocols.tcp: {
      if (view.byteLength < 14) return "cut short";
      const flags = view.getUint8(13);
      const [syn, rst, ack] = [0x02, 0x04, 0x10].map((flag) => (flags & flag) !== 0);
      return {
        kind: "tcp",
        sourcePort: view.getUint16(0),
        port: view.getUint16(2),
        isBeginning: syn === true && ack !== true && rst !== true,
      };
    }
    case protocols.udp: {
      if (view.byteLength < 8) return "cut short";
      const payloadBytes = Math.max(0, (view.getUint16(4) || bytes) - 8);
      const token = readToken("udp", view, payloadBytes);
      return { kind: "udp", sourcePort: view.getUint16(0), port: view.getUint16(2), payloadBytes, token };
    }
    case protocols.icmp:
    case protocols.icmpv6: {
      if (view.byteLength < 6) return "cut short";
      const [request, reply] = protocol === protocols.icmp ? [8, 0] : [128, 129];
      const type = view.getUint8(0);
      if (type !== request && type !== reply) return "other protocol";
      const kind = type === request ? "echo" : "echoReply";
      const payloadBytes = Math.max(0, bytes - 8);
      return { kind, id: view.getUint16(4), payloadBytes, token: readToken("icmpEcho", view, payloadBytes) };
    }
    default:
      return "other protocol";
  }
}

/** Reads what stands where a token would. `undefined`: the packet has no token's size, or was not captured so far. */
function readToken(kind: Carrier["kind"], view: DataView, payloadBytes: number): string | undefined {
  const place = tokenPlace({ kind });
  const isTokenSize = payloadBytes === place.payloadBytes || payloadBytes === place.payloadBytes + 1;
  const at = headerBytes + place.offset;
  if (!isTokenSize || view.byteLength < at + tokenBytes) return undefined;
  return Buffer.from(view.buffer, view.byteOffset + at, tokenBytes).toString("hex");
}

function readAddressAt(view: DataView, at: number, bytes: number): string {
  return formatAddress(new Uint8Array(view.buffer, view.byteOffset + at, bytes));
}
