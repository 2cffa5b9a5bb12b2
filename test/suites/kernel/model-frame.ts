import type { PacketKind } from "../../../src/model/packet";
import type { Family } from "../../../src/policy/prefix";

/** An address, as text and as its bytes in packets. */
export interface SourceAddress {
  readonly family: Family;
  readonly text: string;
  readonly bytes: Buffer;
}

export type FramePacket =
  | Extract<PacketKind, { kind: "tcp" | "udp" }>
  | { readonly kind: "echo"; readonly id: number; readonly payloadBytes: number };

/** The two ends of the machine's link. */
export const machineMac = "02:00:00:00:00:01";
export const pumpMac = "02:00:00:00:00:02";
export const machineAddress = {
  ipv4: address("ipv4", [192, 0, 2, 1]),
  ipv6: address("ipv6", [0xfd99, 0, 0, 0, 0, 0, 0, 1]),
};

const protocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
const synFlag = 2;

export function address(family: Family, parts: readonly number[]): SourceAddress {
  if (family === "ipv4") return { family, text: parts.join("."), bytes: Buffer.from(parts) };
  const text = parts.map((part) => part.toString(16)).join(":");
  return { family, text, bytes: words(...parts) };
}

/** Writes a packet to the machine as an Ethernet frame, in hexadecimal. */
export function writeFrame(source: SourceAddress, packet: FramePacket): string {
  const target = machineAddress[source.family];
  const protocol = protocolOf(source.family, packet);
  const body = writeBody(packet, source.family);
  const pseudo = Buffer.concat([source.bytes, target.bytes, words(0, body.length, 0, protocol)]);
  // Only ICMP has no pseudo header in its checksum (RFC 792). ICMPv6 has one (RFC 4443).
  const summed = protocol === protocols.icmp ? body : Buffer.concat([pseudo, body]);
  // The offset of the checksum.
  const place = packet.kind === "tcp" ? 16 : packet.kind === "udp" ? 6 : 2;
  body.writeUInt16BE(checksum(summed) || 0xffff, place);
  const header = source.family === "ipv4" ? ipv4Header(protocol, body) : ipv6Header(protocol, body);
  const macs = Buffer.from(`${machineMac}${pumpMac}`.replaceAll(":", ""), "hex");
  const type = words(source.family === "ipv4" ? 0x0800 : 0x86dd);
  const head = Buffer.concat([header, source.bytes, target.bytes]);
  if (source.family === "ipv4") head.writeUInt16BE(checksum(head), 10);
  return Buffer.concat([macs, type, head, body]).toString("hex");
}

/** Names the flow of a packet, by the fields that its answer repeats. */
export function nameFlow(source: SourceAddress, packet: FramePacket): string {
  const id = packet.kind === "echo" ? packet.id : packet.sourcePort;
  return `${source.bytes.toString("hex")} ${packet.kind} ${id}`;
}

/** The bytes of a frame that refuses this connection: the receiver's address and the two ports. */
export function refusalOf(source: SourceAddress, port: number, sourcePort: number): string {
  return Buffer.concat([source.bytes, words(port, sourcePort)]).toString("hex");
}

/** Names the flow that a frame answers; `undefined` for a frame that is not an answer. */
export function readAnswer(hex: string): string | undefined {
  const frame = Buffer.from(hex, "hex");
  const [family, header] =
    frame.readUInt16BE(12) === 0x0800 ? (["ipv4", 20] as const) : (["ipv6", 40] as const);
  const ip = frame.subarray(14);
  if (frame.readUInt16BE(12) !== 0x0800 && frame.readUInt16BE(12) !== 0x86dd) return undefined;
  const protocol = ip[family === "ipv4" ? 9 : 6];
  const target = family === "ipv4" ? ip.subarray(16, 20) : ip.subarray(24, 40);
  const body = ip.subarray(header);
  const name = (kind: string, id: number): string => `${target.toString("hex")} ${kind} ${id}`;
  if (protocol === protocols.tcp) return name("tcp", body.readUInt16BE(2));
  if (protocol !== protocols.icmp && protocol !== protocols.icmpv6) return undefined;
  const [echoReply, unreachable] = family === "ipv4" ? [0, 3] : [129, 1];
  if (body[0] === echoReply) return name("echo", body.readUInt16BE(4));
  // The message holds the packet that could not be delivered, which was a datagram.
  return body[0] === unreachable ? name("udp", body.readUInt16BE(8 + header)) : undefined;
}

function protocolOf(family: Family, packet: FramePacket): number {
  if (packet.kind !== "echo") return protocols[packet.kind];
  return family === "ipv4" ? protocols.icmp : protocols.icmpv6;
}

function writeBody(packet: FramePacket, family: Family): Buffer {
  switch (packet.kind) {
    case "tcp":
      return words(packet.sourcePort, packet.port, 0, 4_711, 0, 0, (5 << 12) | synFlag, 64_240, 0, 0);
    case "udp": {
      const header = words(packet.sourcePort, packet.port, 8 + packet.payloadBytes, 0);
      return Buffer.concat([header, Buffer.alloc(packet.payloadBytes, 7)]);
    }
    case "echo": {
      const header = words(family === "ipv4" ? 0x0800 : 0x8000, 0, packet.id, 1);
      return Buffer.concat([header, Buffer.alloc(packet.payloadBytes, 7)]);
    }
  }
}

function ipv4Header(protocol: number, body: Buffer): Buffer {
  return words(0x4500, 20 + body.length, 1, 0x4000, (64 << 8) | protocol, 0);
}

function ipv6Header(protocol: number, body: Buffer): Buffer {
  return words(0x6000, 0, body.length, (protocol << 8) | 64);
}

function words(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) buffer.writeUInt16BE(value, index * 2);
  return buffer;
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += index + 1 < bytes.length ? bytes.readUInt16BE(index) : (bytes[index] ?? 0) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
