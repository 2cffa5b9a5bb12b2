import ipaddr from "ipaddr.js";
import type { CapturedPacket } from "../../../../src/diagnose/capture/captured-packet";

/** A packet to write. By default it is one that can begin a connection or a knock. */
export interface Written extends CapturedPacket {
  readonly destination: string;
  /** TCP's flags. Default SYN. */
  readonly tcpFlags?: number;
  /** The id of an echo request or, with `isReply`, of its answer. Default 1. */
  readonly echoId?: number;
  readonly isReply?: boolean;
  /** The offset of a fragment, in units of 8 bytes. */
  readonly fragmentOffset?: number;
}

type Bytes = readonly number[];

export const flags = { fin: 0x01, syn: 0x02, rst: 0x04, ack: 0x10 };

export interface IpOptions {
  readonly hasIpOptions?: boolean;
  /** Adds to IPv6 a hop-by-hop header, a destination header of 16 bytes and an authentication header. */
  readonly hasExtensions?: boolean;
}

export function writeIp(packet: Written, options: IpOptions = {}): Bytes {
  const isIpv4 = packet.destination.includes(".");
  const [protocol, payload] = writeTransport(packet, isIpv4);
  const [source, destination] = [packet.source, packet.destination].map((text) =>
    ipaddr.parse(text).toByteArray(),
  );
  const ends = [...(source ?? []), ...(destination ?? [])];
  if (isIpv4) {
    const more = options.hasIpOptions === true ? [1, 1, 1, 0] : [];
    const length = 20 + more.length + payload.length;
    const first = 0x40 | ((20 + more.length) / 4);
    const fragment = packet.fragmentOffset ?? 0;
    return [
      first,
      0,
      ...u16(length),
      0,
      0,
      ...u16(fragment),
      64,
      protocol,
      0,
      0,
      ...ends,
      ...more,
      ...payload,
    ];
  }
  const chain: [number, Bytes][] = [];
  if (packet.fragmentOffset !== undefined)
    chain.push([44, [0, ...u16(packet.fragmentOffset << 3), ...u32(7)]]);
  if (options.hasExtensions === true) {
    chain.push([0, [0, 0, 0, 0, 0, 0, 0]], [60, [1, ...zeros(14)]], [51, [4, ...zeros(22)]]);
  }
  const headers = chain.flatMap(([, body], index) => [chain[index + 1]?.[0] ?? protocol, ...body]);
  const length = headers.length + payload.length;
  return [0x60, 0, 0, 0, ...u16(length), chain[0]?.[0] ?? protocol, 64, ...ends, ...headers, ...payload];
}

function writeTransport(
  { kind, tcpFlags, echoId, isReply, token = "" }: Written,
  isIpv4: boolean,
): readonly [number, Bytes] {
  switch (kind.kind) {
    case "tcp":
      return [
        6,
        [...u16(kind.sourcePort), ...u16(kind.port), ...zeros(8), 0x50, tcpFlags ?? flags.syn, ...zeros(6)],
      ];
    case "udp":
      return [
        17,
        [
          ...u16(kind.sourcePort),
          ...u16(kind.port),
          ...u16(8 + kind.payloadBytes),
          0,
          0,
          ...writePayload(kind.payloadBytes, 0, token),
        ],
      ];
    case "echo": {
      const type = isIpv4 ? (isReply ? 0 : 8) : isReply ? 129 : 128;
      return [
        isIpv4 ? 1 : 58,
        [type, 0, 0, 0, ...u16(echoId ?? 1), 0, 1, ...writePayload(kind.payloadBytes, 16, token)],
      ];
    }
    case "established":
      return [50, zeros(8)];
  }
}

/** Writes a token at its place, between zeros. */
function writePayload(bytes: number, offset: number, token: string): Bytes {
  return [...zeros(offset), ...Buffer.from(token, "hex"), ...zeros(bytes)].slice(0, bytes);
}

/** By name: the number of the link type, and the beginning of a frame. */
export const links = {
  null: [0, (ip) => (isIpv4(ip) ? u32(2) : u32(30)).toReversed()],
  ethernet: [1, (ip) => [...zeros(12), ...etherType(ip)]],
  "ethernet with a VLAN tag": [1, (ip) => [...zeros(12), 0x81, 0, 0, 5, ...etherType(ip)]],
  "ethernet with two VLAN tags": [
    1,
    (ip) => [...zeros(12), 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, ...etherType(ip)],
  ],
  "DLT_RAW 12": [12, () => []],
  "DLT_RAW 14": [14, () => []],
  raw: [101, () => []],
  loop: [108, (ip) => (isIpv4(ip) ? u32(2) : u32(24))],
  "Linux cooked": [113, (ip) => [...zeros(14), ...etherType(ip)]],
  IPv4: [228, () => []],
  IPv6: [229, () => []],
  "Linux cooked v2": [276, (ip) => [...etherType(ip), ...zeros(18)]],
} as const satisfies Record<string, readonly [number, (ip: Bytes) => Bytes]>;

export interface Frame {
  readonly atMs: number;
  readonly bytes: Bytes;
}

export function writePcap(
  linkType: number,
  frames: readonly Frame[],
  { isLittle = true, isNano = false, snapshotBytes = 262_144 } = {},
): Uint8Array {
  const put = (value: number) => (isLittle ? u32(value).toReversed() : u32(value));
  const half = (value: number) => (isLittle ? u16(value).toReversed() : u16(value));
  const header = [
    ...put(isNano ? 0xa1b23c4d : 0xa1b2c3d4),
    ...[...half(2), ...half(4)],
    ...[...put(0), ...put(0), ...put(snapshotBytes), ...put(linkType)],
  ];
  const records = frames.flatMap(({ atMs, bytes }) => {
    const fraction = (atMs % 1_000) * (isNano ? 1_000_000 : 1_000);
    const kept = bytes.slice(0, snapshotBytes);
    return [
      ...put(Math.floor(atMs / 1_000)),
      ...put(fraction),
      ...put(kept.length),
      ...put(bytes.length),
      ...kept,
    ];
  });
  return Uint8Array.from([...header, ...records]);
}

export interface PcapngOptions {
  readonly isLittle?: boolean;
  /** The value of if_tsresol. Default: none, which means microseconds. */
  readonly resolution?: number;
  /** The units in a second that it stands for. */
  readonly units?: number;
  readonly offsetSeconds?: number;
  readonly isSimple?: boolean;
  readonly isObsolete?: boolean;
}

export function writePcapng(
  linkType: number,
  frames: readonly Frame[],
  options: PcapngOptions = {},
): Uint8Array {
  const { isLittle = true, resolution, units = 1_000_000, offsetSeconds, isSimple = false } = options;
  const put = (value: number) => (isLittle ? u32(value).toReversed() : u32(value));
  const half = (value: number) => (isLittle ? u16(value).toReversed() : u16(value));
  const block = (type: number, body: Bytes) => {
    const padded = [...body, ...zeros((4 - (body.length % 4)) % 4)];
    return [...put(type), ...put(padded.length + 12), ...padded, ...put(padded.length + 12)];
  };
  const long = (value: number) => {
    const [high, low] = [u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32)];
    return isLittle ? [...low.toReversed(), ...high.toReversed()] : [...high, ...low];
  };
  const extra = [
    ...(resolution === undefined ? [] : [...half(9), ...half(1), resolution, 0, 0, 0]),
    ...(offsetSeconds === undefined ? [] : [...half(14), ...half(8), ...long(offsetSeconds)]),
  ];
  const packet = ({ atMs, bytes }: Frame): Bytes => {
    if (isSimple) return block(3, [...put(bytes.length), ...bytes]);
    if (options.isObsolete === true)
      return block(2, [...zeros(12), ...put(bytes.length), ...put(bytes.length), ...bytes]);
    const count = (atMs / 1_000 - (offsetSeconds ?? 0)) * units;
    const time = [...put(Math.floor(count / 2 ** 32)), ...put(Math.round(count) % 2 ** 32)];
    return block(6, [...put(0), ...time, ...put(bytes.length), ...put(bytes.length), ...bytes]);
  };
  return Uint8Array.from([
    ...block(0x0a0d0d0a, [
      ...put(0x1a2b3c4d),
      ...half(1),
      ...half(0),
      ...put(0xffffffff),
      ...put(0xffffffff),
    ]),
    ...block(1, [...half(linkType), 0, 0, ...put(0), ...extra]),
    ...block(0x0bad, [1, 2, 3, 4]),
    ...frames.flatMap(packet),
  ]);
}

function isIpv4(ip: Bytes): boolean {
  return (ip[0] ?? 0) >> 4 === 4;
}

function etherType(ip: Bytes): Bytes {
  return isIpv4(ip) ? [0x08, 0x00] : [0x86, 0xdd];
}

function u16(value: number): number[] {
  return [(value >> 8) & 0xff, value & 0xff];
}

function u32(value: number): number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0);
}
