import type { Skip } from "./segment.js";

/** Finds the IP packet in a captured frame. */
type Unwrap = (frame: DataView) => DataView | Skip;

const etherTypes = { ipv4: 0x0800, ipv6: 0x86dd };

/** EtherTypes of VLAN tags: 802.1Q, 802.1ad, and the one in use before 802.1ad. */
const vlanTypes: readonly number[] = [0x8100, 0x88a8, 0x9100];

/** AF_INET on all systems, then AF_INET6 of NetBSD and OpenBSD, FreeBSD, macOS and Linux. */
const nullFamilies: readonly number[] = [2, 24, 28, 30, 10];

/** How to unwrap each link type of pcap-linktype(7). On some systems DLT_RAW is 12 or 14. */
const unwrapByLinkType: ReadonlyMap<number, Unwrap> = new Map<number, Unwrap>([
  [0, unwrapNull],
  [1, (frame) => unwrapTyped(frame, 12, 14)],
  [12, unwrapRaw],
  [14, unwrapRaw],
  [101, unwrapRaw],
  [108, unwrapNull],
  [113, (frame) => unwrapTyped(frame, 14, 16)],
  [228, unwrapRaw],
  [229, unwrapRaw],
  [276, (frame) => unwrapTyped(frame, 0, 20)],
]);

/** Finds how to unwrap a link type. `undefined`: its frames can't be read. */
export function findUnwrap(linkType: number): Unwrap | undefined {
  return unwrapByLinkType.get(linkType);
}

/** Unwraps a header with an EtherType at `typeAt`. VLAN tags behind the header have an EtherType each, too. */
function unwrapTyped(frame: DataView, typeAt: number, headerBytes: number): DataView | Skip {
  if (frame.byteLength < headerBytes) return "cut short";
  let type = frame.getUint16(typeAt);
  let at = headerBytes;
  while (vlanTypes.includes(type)) {
    if (frame.byteLength < at + 4) return "cut short";
    type = frame.getUint16(at + 2);
    at += 4;
  }
  return type === etherTypes.ipv4 || type === etherTypes.ipv6 ? skipBytes(frame, at) : "not IP";
}

/**
 * Unwraps four bytes with the address family. They are in the byte order of the machine that captured; OpenBSD's
 * loopback uses network byte order.
 */
function unwrapNull(frame: DataView): DataView | Skip {
  if (frame.byteLength < 4) return "cut short";
  const isIp = [frame.getUint32(0, true), frame.getUint32(0)].some((family) => nullFamilies.includes(family));
  return isIp ? skipBytes(frame, 4) : "not IP";
}

function unwrapRaw(frame: DataView): DataView {
  return frame;
}

export function skipBytes(view: DataView, count: number): DataView {
  return new DataView(view.buffer, view.byteOffset + count, view.byteLength - count);
}
