import type { Finding } from "../../policy/finding.js";
import { type CapturedFrame, cutOff, type FrameReading, formatPacketCount } from "./capture.js";

/** The type of a section header block. It is the same in both byte orders. */
export const sectionBlock = 0x0a0d0d0a;
const byteOrderMagic = 0x1a2b3c4d;

const blocks = { interface: 1, oldPacket: 2, simplePacket: 3, enhancedPacket: 6 };
const options = { end: 0, resolution: 9, offset: 14 };

interface Interface {
  readonly linkType: number;
  readonly snapshotBytes: number;
  /** How many units per second its times count. */
  readonly units: bigint;
  /** Seconds to be added to each time. */
  readonly offset: bigint;
}

interface Block {
  readonly type: number;
  readonly body: DataView;
  readonly isLittle: boolean;
}

/** Reads a file of blocks (draft-ietf-opsawg-pcapng). */
export function readPcapng(view: DataView): FrameReading {
  const frames: CapturedFrame[] = [];
  const findings: Finding[] = [];
  let interfaces: Interface[] = [];
  let packets = 0;
  let untimed = 0;
  for (const block of listBlocks(view)) {
    if (block === "cut off") {
      findings.push(cutOff(packets === 0 ? "file" : `packet ${packets + 1}`));
    } else if (block.type === sectionBlock) {
      interfaces = [];
    } else if (block.type === blocks.interface) {
      const read = readInterface(block);
      if (read === undefined) findings.push(cutOff(`interface ${interfaces.length}`));
      // Keep its place even if it can't be read, because packets name interfaces by number.
      interfaces.push(read ?? { linkType: -1, snapshotBytes: 0, units: 1n, offset: 0n });
    } else if (block.type === blocks.enhancedPacket || block.type === blocks.simplePacket) {
      packets++;
      const frame = readPacket(block, interfaces, packets, frames.at(-1)?.atMs ?? 0);
      if (frame === undefined) {
        findings.push(cutOff(`packet ${packets}`));
        break;
      }
      frames.push(frame);
      if (block.type === blocks.simplePacket) untimed++;
    } else if (block.type === blocks.oldPacket) {
      findings.push(oldPacket(packets + 1));
      break;
    }
  }
  const skipped =
    untimed > 0
      ? [
          `the times of ${formatPacketCount(untimed)}: the file has none, so each packet has the time of the packet before`,
        ]
      : [];
  return { frames, findings, skipped };
}

/** Lists the blocks up to the end, or up to the first block that can't be valid. */
function* listBlocks(view: DataView): Generator<Block | "cut off"> {
  let isLittle = true;
  let at = 0;
  while (at < view.byteLength) {
    const left = view.byteLength - at;
    const isSection = left >= 12 && view.getUint32(at) === sectionBlock;
    if (isSection) isLittle = view.getUint32(at + 8, true) === byteOrderMagic;
    const isKnown = !isSection || view.getUint32(at + 8, isLittle) === byteOrderMagic;
    const length = left >= 12 && isKnown ? view.getUint32(at + 4, isLittle) : 0;
    if (length < 12 || length % 4 !== 0 || length > left) {
      yield "cut off";
      return;
    }
    const body = new DataView(view.buffer, view.byteOffset + at + 8, length - 12);
    yield { type: isSection ? sectionBlock : view.getUint32(at, isLittle), body, isLittle };
    at += length;
  }
}

function readInterface({ body, isLittle }: Block): Interface | undefined {
  if (body.byteLength < 8) return undefined;
  let units = 1_000_000n;
  let offset = 0n;
  let at = 8;
  while (at + 4 <= body.byteLength) {
    const code = body.getUint16(at, isLittle);
    const length = body.getUint16(at + 2, isLittle);
    const value = at + 4;
    if (code === options.end || value + length > body.byteLength) break;
    if (code === options.resolution && length === 1) {
      const exponent = body.getUint8(value);
      units = (exponent & 0x80 ? 2n : 10n) ** BigInt(exponent & 0x7f);
    }
    if (code === options.offset && length === 8) offset = body.getBigInt64(value, isLittle);
    at = value + length + ((4 - (length % 4)) % 4);
  }
  const snapshotBytes = body.getUint32(4, isLittle);
  return { linkType: body.getUint16(0, isLittle), snapshotBytes, units, offset };
}

function readPacket(
  block: Block,
  interfaces: readonly Interface[],
  number: number,
  beforeMs: number,
): CapturedFrame | undefined {
  return block.type === blocks.simplePacket
    ? readSimple(block, interfaces, number, beforeMs)
    : readEnhanced(block, interfaces, number);
}

function readEnhanced(
  { body, isLittle }: Block,
  interfaces: readonly Interface[],
  number: number,
): CapturedFrame | undefined {
  if (body.byteLength < 20) return undefined;
  const on = interfaces[body.getUint32(0, isLittle)];
  const captured = body.getUint32(12, isLittle);
  if (on === undefined || captured > body.byteLength - 20) return undefined;
  const count = (BigInt(body.getUint32(4, isLittle)) << 32n) | BigInt(body.getUint32(8, isLittle));
  const seconds = count / on.units + on.offset;
  const atMs = Number(seconds) * 1_000 + (Number(count % on.units) / Number(on.units)) * 1_000;
  const bytes = new DataView(body.buffer, body.byteOffset + 20, captured);
  return { number, linkType: on.linkType, atMs, bytes };
}

/** Reads a simple packet block. It always belongs to the section's first interface, and has no time. */
function readSimple(
  { body, isLittle }: Block,
  [on]: readonly Interface[],
  number: number,
  atMs: number,
): CapturedFrame | undefined {
  if (body.byteLength < 4 || on === undefined) return undefined;
  const sent = body.getUint32(0, isLittle);
  const captured = on.snapshotBytes === 0 ? sent : Math.min(sent, on.snapshotBytes);
  if (captured > body.byteLength - 4) return undefined;
  return {
    number,
    linkType: on.linkType,
    atMs,
    bytes: new DataView(body.buffer, body.byteOffset + 4, captured),
  };
}

function oldPacket(number: number): Finding {
  return {
    path: `packet ${number}`,
    rule: "capture-format",
    message: "is in a block of an old form that is not supported.",
    fix: "Write the file again: `tcpdump -r OLD -w NEW`.",
  };
}
