import fc from "fast-check";
import ipaddr from "ipaddr.js";
import type { CapturedPacket } from "../../../src/diagnose/capture/captured-packet";
import type { PacketKind } from "../../../src/model/packet";

/** Often that of a token. */
const payloadBytes = fc.oneof(fc.nat(1_400), fc.constantFrom(16, 17, 32, 33));
const port = fc.integer({ min: 1, max: 65_535 });

/** An address as the kernel writes it. */
export function address(family: "ipv4" | "ipv6"): fc.Arbitrary<string> {
  const length = family === "ipv4" ? 4 : 16;
  return fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => ipaddr.fromByteArray([...bytes]).toString())
    .filter((text) => !text.startsWith("::ffff:"));
}

export function packetKind(): fc.Arbitrary<PacketKind> {
  return fc.oneof(
    fc.record({ kind: fc.constant("tcp" as const), port, sourcePort: port }),
    fc.record({ kind: fc.constant("udp" as const), port, sourcePort: port, payloadBytes }),
    fc.record({ kind: fc.constant("echo" as const), payloadBytes }),
  );
}

/** Sorted by time. */
export function packetList(): fc.Arbitrary<readonly CapturedPacket[]> {
  const source = fc.oneof(address("ipv4"), address("ipv6"));
  const one = fc.record({ afterMs: fc.nat(10_000), source, kind: packetKind() });
  return fc.array(one, { maxLength: 12 }).map((list) => {
    let atMs = 0;
    return list.map(({ afterMs, ...packet }) => {
      atMs += afterMs;
      return { atMs, ...packet };
    });
  });
}
