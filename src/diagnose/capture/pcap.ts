import { type CapturedFrame, cutOff, type FrameReading, readFrames } from "./capture.js";
import type { PacketReading } from "./captured-packet.js";
import { readPcapng, sectionBlock } from "./pcapng.js";

/** For each magic number, read in the file's own byte order: how many units per second its records count. */
const unitsByMagic: ReadonlyMap<number, number> = new Map([
  [0xa1b2c3d4, 1_000_000],
  [0xa1b23c4d, 1_000_000_000],
]);

const headerBytes = 24;
const recordHeaderBytes = 16;

/**
 * Reads a capture of tcpdump or Wireshark: pcap in both byte orders, in micro- or nanoseconds, and pcapng.
 *
 * It reads Ethernet with and without VLAN tags, Linux' `any` (both versions), plain IP, and BSD's loopback. It returns
 * the packets in both directions that could begin a flow. Times are in milliseconds since the epoch. A file that is cut
 * off or damaged gives findings, and the packets before that place. Never throws.
 */
export function parsePcap(bytes: Uint8Array): PacketReading {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return readFrames(readFormat(view));
}

function readFormat(view: DataView): FrameReading {
  if (view.byteLength >= 4) {
    if (view.getUint32(0) === sectionBlock) return readPcapng(view);
    for (const isLittle of [true, false]) {
      const units = unitsByMagic.get(view.getUint32(0, isLittle));
      if (units !== undefined) return readClassic(view, isLittle, units);
    }
  }
  const message = "is neither pcap nor pcapng.";
  const fix = "Write it by `tcpdump -w FILE`. Unpack a compressed file first.";
  return { frames: [], findings: [{ path: "file", rule: "capture-format", message, fix }], skipped: [] };
}

function readClassic(view: DataView, isLittle: boolean, units: number): FrameReading {
  if (view.byteLength < headerBytes) return { frames: [], findings: [cutOff("file")], skipped: [] };
  // The upper bits describe the frame check sequence (draft-ietf-opsawg-pcap, 4).
  const linkType = view.getUint32(20, isLittle) & 0xffff;
  const frames: CapturedFrame[] = [];
  let at = headerBytes;
  while (at < view.byteLength) {
    const number = frames.length + 1;
    const left = view.byteLength - at - recordHeaderBytes;
    const captured = left < 0 ? 0 : view.getUint32(at + 8, isLittle);
    if (left < captured) return { frames, findings: [cutOff(`packet ${number}`)], skipped: [] };
    const seconds = view.getUint32(at, isLittle);
    const atMs = seconds * 1_000 + (view.getUint32(at + 4, isLittle) * 1_000) / units;
    const bytes = new DataView(view.buffer, view.byteOffset + at + recordHeaderBytes, captured);
    frames.push({ number, linkType, atMs, bytes });
    at += recordHeaderBytes + captured;
  }
  return { frames, findings: [], skipped: [] };
}
