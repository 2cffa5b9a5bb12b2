import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPackets, parsePackets } from "../../../../src/diagnose/capture/packet-text";
import { runs } from "../../runs";
import { packetList } from "../arbitraries";

const me = "198.51.100.7";

describe("a text file of packets", () => {
  test("has one packet a line, with times, sources, sizes, source ports and comments", () => {
    const text = [
      "# my knock",
      `0.0 ${me} tcp 7411`,
      `+1.2 ${me} udp 8522 9 bytes   # a datagram`,
      "",
      "  udp 8523 from 5000",
      "+0.05 icmp 77 bytes",
      "2.5s 2001:DB8:0::7 TCP 6633 from 41000\r",
      "3 ping 0 bytes",
      "established",
    ].join("\n");
    expect(parsePackets(text)).toEqual({
      packets: [
        { atMs: 0, source: me, kind: { kind: "tcp", port: 7411, sourcePort: 40_001 } },
        { atMs: 1_200, source: me, kind: { kind: "udp", port: 8522, sourcePort: 40_002, payloadBytes: 9 } },
        { atMs: 1_200, source: me, kind: { kind: "udp", port: 8523, sourcePort: 5_000, payloadBytes: 0 } },
        { atMs: 1_250, source: me, kind: { kind: "echo", payloadBytes: 77 } },
        { atMs: 2_500, source: "2001:db8::7", kind: { kind: "tcp", port: 6633, sourcePort: 41_000 } },
        { atMs: 3_000, source: "2001:db8::7", kind: { kind: "echo", payloadBytes: 0 } },
        { atMs: 3_000, source: "2001:db8::7", kind: { kind: "established" } },
      ],
      findings: [],
      skipped: [],
    });
  });

  test.each([
    ["1,5 198.51.100.7 tcp 80", "packet-time"],
    ["+-1 198.51.100.7 tcp 80", "packet-time"],
    ["tcp 80", "packet-source"],
    ["0 tcp 80", "packet-source"],
    ["0 fe80::1%eth0 tcp 80", "packet-source"],
    ["0 ::ffff:192.0.2.7 tcp 80", "packet-source"],
    ["0 example.com tcp 80", "packet-source"],
    ["0 198.51.100.7", "packet-kind"],
    ["0 198.51.100.7 sctp 80", "packet-kind"],
    ["0 198.51.100.7 tcp", "packet-port"],
    ["0 198.51.100.7 tcp 0", "packet-port"],
    ["0 198.51.100.7 udp 65536", "packet-port"],
    ["0 198.51.100.7 udp 80 65508 bytes", "packet-rest"],
    ["0 198.51.100.7 tcp 80 9 bytes", "packet-rest"],
    ["0 198.51.100.7 udp 80 9", "packet-rest"],
    ["0 198.51.100.7 icmp", "packet-bytes"],
    ["0 198.51.100.7 icmp 77", "packet-bytes"],
    ["0 198.51.100.7 icmp 77 bytes from 5", "packet-rest"],
    ["0 198.51.100.7 established 1", "packet-rest"],
  ])("in which a line is %j gives a finding with its number", (line, rule) => {
    const { packets, findings } = parsePackets(`# first\n${line}\n`);
    expect(packets).toEqual([]);
    expect(findings).toEqual([
      { path: "line 2", rule, message: expect.stringMatching(/\.$/), fix: expect.stringMatching(/\.$/) },
    ]);
  });

  test("has all its wrong lines found at once, and the right ones read", () => {
    const { packets, findings } = parsePackets(`5 ${me} tcp 47001\n4 tcp 47002\ntcp x\n+1 tcp 47003\nudp\n`);
    expect(packets.map(({ atMs }) => atMs)).toEqual([5_000, 6_000]);
    expect(findings.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
      "line 2 packet-order",
      "line 3 packet-port",
      "line 5 packet-port",
    ]);
    expect(JSON.stringify(findings)).not.toMatch(/4700/);
  });

  test("that was written from packets has exactly these packets", () => {
    fc.assert(
      fc.property(packetList(), (packets) => {
        expect(parsePackets(formatPackets(packets))).toEqual({ packets, findings: [], skipped: [] });
      }),
    );
  });

  test("can hold anything, and only valid lines are packets", () => {
    const word = fc.constantFrom(
      "0",
      "+1",
      "1.5",
      me,
      "::1",
      "tcp",
      "udp",
      "icmp",
      "80",
      "9",
      "bytes",
      "from",
      "#",
      "\n",
      "x",
    );
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.array(word, { maxLength: 40 }).map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(text, (any) => {
        const lines = any.split(/\r\n|\r|\n/).filter((line) => line.replace(/#.*/s, "").trim() !== "");
        const { packets, findings } = parsePackets(any);
        expect(packets.length + findings.length).toBe(lines.length);
        expect(parsePackets(formatPackets(packets)).packets).toEqual(packets);
      }),
      runs(60),
    );
  });
});
