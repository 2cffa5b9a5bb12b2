import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePcap } from "../../../../src/diagnose/capture/pcap";
import { runs } from "../../runs";
import { address, packetKind } from "../arbitraries";
import {
  flags,
  links,
  type PcapngOptions,
  type Written,
  writeIp,
  writePcap,
  writePcapng,
} from "./capture-writer";

const [me, host] = ["198.51.100.7", "203.0.113.7"];
const startMs = 1_764_000_000_000;

/** Each packet has its own source port, or echo id: none is an answer or a repetition. */
function knocks(family?: "ipv4" | "ipv6"): fc.Arbitrary<readonly Written[]> {
  const families = family === undefined ? (["ipv4", "ipv6"] as const) : [family];
  const one = fc.oneof(
    ...families.map((each) => {
      return fc.record({
        source: address(each),
        destination: address(each),
        kind: packetKind(),
        afterMs: fc.nat(9_000),
        token: fc
          .uint8Array({ minLength: 16, maxLength: 16 })
          .map((bytes) => Buffer.from(bytes).toString("hex")),
      });
    }),
  );
  return fc.array(one, { minLength: 1, maxLength: 5 }).map((list) => {
    let atMs = startMs;
    return list.map(({ afterMs, kind, ...ends }, index): Written => {
      atMs += afterMs;
      const own = "sourcePort" in kind ? { ...kind, sourcePort: 1 + index } : kind;
      return { atMs, ...ends, kind: own, echoId: index };
    });
  });
}

function strip(written: readonly Written[]) {
  return written.map(({ atMs, source, destination, kind, token = "0".repeat(32) }) => {
    const place = { tcp: undefined, udp: 16, echo: 32, established: undefined }[kind.kind];
    const bytes = "payloadBytes" in kind ? kind.payloadBytes : -1;
    const hasToken = place !== undefined && (bytes === place || bytes === place + 1);
    return { atMs, source, destination, kind, ...(hasToken ? { token } : {}) };
  });
}

function frame(link: keyof typeof links, packets: readonly Written[]) {
  const [linkType, begin] = links[link];
  const frames = packets.map((packet, index) => {
    const ip = writeIp(packet, { hasIpOptions: index % 2 === 1, hasExtensions: index % 2 === 1 });
    return { atMs: packet.atMs, bytes: [...begin(ip), ...ip] };
  });
  return { linkType, frames };
}

const often = runs(10);
const nothingElse = { findings: [], skipped: [] };

describe.each(Object.keys(links) as (keyof typeof links)[])("a capture on a link of type %s", (link) => {
  const family = link === "IPv4" ? "ipv4" : link === "IPv6" ? "ipv6" : undefined;

  test("comes back as it was sent, from pcap in each byte order and resolution", () => {
    fc.assert(
      fc.property(knocks(family), fc.boolean(), fc.boolean(), (sent, isLittle, isNano) => {
        const { linkType, frames } = frame(link, sent);
        const read = parsePcap(writePcap(linkType, frames, { isLittle, isNano }));
        expect(read).toEqual({ packets: strip(sent), ...nothingElse });
      }),
      often,
    );
  });

  test("comes back from pcapng, in each byte order and resolution", () => {
    const counted = fc.constantFrom<PcapngOptions>(
      {},
      { resolution: 3, units: 1_000 },
      { resolution: 9, units: 1e9 },
      { resolution: 0x80 | 10, units: 1_024 },
      { offsetSeconds: 1_700_000_000 },
    );
    fc.assert(
      fc.property(knocks(family), fc.boolean(), counted, (sent, isLittle, times) => {
        const { linkType, frames } = frame(link, sent);
        const read = parsePcap(writePcapng(linkType, frames, { isLittle, ...times }));
        const near = strip(sent).map((packet) => ({ ...packet, atMs: expect.closeTo(packet.atMs, -1) }));
        expect(read).toEqual({ packets: near, ...nothingElse });
      }),
      often,
    );
  });
});

describe("of a capture", () => {
  const syn: Written = {
    atMs: 1_000,
    source: me,
    destination: host,
    kind: { kind: "tcp", port: 22, sourcePort: 5_000 },
  };
  const answer: Written = {
    atMs: 1_001,
    source: host,
    destination: me,
    kind: { kind: "tcp", port: 5_000, sourcePort: 22 },
    tcpFlags: flags.syn | flags.ack,
  };
  const datagram = (atMs: number, port = 53): Written => {
    return {
      atMs,
      source: me,
      destination: host,
      kind: { kind: "udp", port, sourcePort: 5_000, payloadBytes: 9 },
    };
  };
  const datagramBack: Written = {
    ...datagram(1_010),
    source: host,
    destination: me,
    kind: { kind: "udp", port: 5_000, sourcePort: 53, payloadBytes: 400 },
  };
  const echo = (atMs: number): Written => {
    return { atMs, source: me, destination: host, kind: { kind: "echo", payloadBytes: 77 } };
  };
  const echoBack: Written = { ...echo(1_010), source: host, destination: me, isReply: true };
  const read = (...sent: Written[]) => {
    const { linkType, frames } = frame("ethernet", sent);
    return parsePcap(writePcap(linkType, frames));
  };
  const rest = (count: number) => [
    `${count} ${count === 1 ? "packet" : "packets"}: answers, or packets of a flow that is established already`,
  ];

  test("keeps only packets that could begin something: no answers, and nothing of a session", () => {
    const session = { ...syn, atMs: 1_002, tcpFlags: flags.ack };
    expect(read(syn, answer, session, { ...session, tcpFlags: flags.fin | flags.ack })).toEqual({
      packets: strip([syn]),
      findings: [],
      skipped: rest(3),
    });
    expect(read(datagram(1_000), datagramBack, datagram(1_020))).toMatchObject({
      packets: strip([datagram(1_000)]),
      skipped: rest(2),
    });
    expect(read(echo(1_000), echoBack, echo(1_020))).toMatchObject({
      packets: strip([echo(1_000)]),
      skipped: rest(2),
    });
  });

  test("keeps a packet that is sent again before its answer, or after a refusal", () => {
    const again = { ...syn, atMs: 2_000 };
    expect(read(syn, again).packets).toEqual(strip([syn, again]));
    expect(read(syn, { ...answer, tcpFlags: flags.rst | flags.ack }, again).packets).toEqual(
      strip([syn, again]),
    );
    expect(read(datagram(1_000), datagram(1_020)).packets).toHaveLength(2);
    expect(read(echo(1_000), echo(1_020)).packets).toHaveLength(2);
  });

  test("keeps each SYN, whatever came before it: the kernel's gates look at each", () => {
    const later = { ...syn, atMs: 5_000 };
    const back = { ...answer, atMs: 1_002, tcpFlags: flags.rst | flags.ack };
    expect(read(syn, answer, later).packets).toEqual(strip([syn, later]));
    expect(read(syn, answer, back, later).packets).toEqual(strip([syn, later]));
    expect(read({ ...answer, tcpFlags: flags.syn }, later).packets).toContainEqual(strip([later])[0]);
  });

  test("a flow is forgotten when nothing came for as long as the kernel remembers it", () => {
    expect(read(datagram(1_000), datagramBack, datagram(121_009)).packets).toHaveLength(1);
    expect(read(datagram(1_000), datagramBack, datagram(121_010)).packets).toHaveLength(2);
  });

  test("packets that are not in order of time come back in it", () => {
    expect(read(datagram(3_000, 2), datagram(1_000, 1)).packets.map(({ atMs }) => atMs)).toEqual([
      1_000, 3_000,
    ]);
  });

  test("later fragments, frames without IP, other protocols and truncated packets are skipped and reported", () => {
    const other: Written = { ...syn, kind: { kind: "established" } };
    const ipv6 = { source: "2001:db8::7", destination: "2001:db8::1" };
    const [linkType, begin] = links.ethernet;
    const late = [
      { ...datagram(1_000), fragmentOffset: 5 },
      { ...datagram(1_000), ...ipv6, fragmentOffset: 5 },
    ];
    const frames = frame("ethernet", [...late, other]).frames;
    const arp = { atMs: 1_000, bytes: [...begin([0x40]).slice(0, 12), 8, 6, 0, 0] };
    const short = { atMs: 1_000, bytes: (frames[0]?.bytes ?? []).slice(0, 30) };
    expect(parsePcap(writePcap(linkType, [...frames, arp, short]))).toEqual({
      packets: [],
      findings: [],
      skipped: [
        "2 packets: later fragments of IP packets, which have no ports; the first ones are read",
        "1 packet: neither TCP nor UDP nor pings",
        "1 packet: no IP packets",
        "1 packet: captured with too few bytes to be read (capture again without a snapshot length)",
      ],
    });
    const first = { ...datagram(1_000), ...ipv6, fragmentOffset: 0 };
    expect(read(first).packets).toEqual(strip([first]));
  });

  test("sizes are those of the sent packets, also when fewer bytes were captured", () => {
    const { linkType, frames } = frame("ethernet", [echo(1_000), datagram(1_000)]);
    const { packets } = parsePcap(writePcap(linkType, frames, { snapshotBytes: 50 }));
    expect(packets).toEqual(strip([echo(1_000), datagram(1_000)]));
  });

  test("simple blocks of pcapng get the time of the block before, with a finding", () => {
    const { linkType, frames } = frame("ethernet", [syn]);
    expect(parsePcap(writePcapng(linkType, frames, { isSimple: true }))).toEqual({
      packets: strip([{ ...syn, atMs: 0 }]),
      findings: [],
      skipped: ["the times of 1 packet: the file has none, so each packet has the time of the packet before"],
    });
  });

  test.each<readonly [string, Uint8Array, string, string]>([
    ["an empty file", new Uint8Array(), "file", "capture-format"],
    ["a compressed one", Uint8Array.of(0x1f, 0x8b, 8, 0, 0), "file", "capture-format"],
    ["half a header", writePcap(1, []).slice(0, 20), "file", "capture-cut-off"],
    [
      "a link that nobody reads",
      writePcap(105, frame("ethernet", [syn]).frames),
      "packet 1",
      "capture-link-type",
    ],
    [
      "blocks of an old form",
      writePcapng(1, frame("ethernet", [syn]).frames, { isObsolete: true }),
      "packet 1",
      "capture-format",
    ],
  ])("%s is a finding", (_, bytes, path, rule) => {
    const { packets, findings } = parsePcap(bytes);
    expect(packets).toEqual([]);
    expect(findings).toEqual([
      { path, rule, message: expect.stringMatching(/\.$/), fix: expect.stringMatching(/\.$/) },
    ]);
  });

  test("a file that is cut off gives the packets before, and says where it ends", () => {
    const { linkType, frames } = frame("ethernet", [datagram(1_000, 1), datagram(1_001, 2)]);
    for (const bytes of [writePcap(linkType, frames), writePcapng(linkType, frames)]) {
      const { packets, findings } = parsePcap(bytes.slice(0, -3));
      expect(packets).toHaveLength(1);
      expect(findings.map(({ path, rule }) => `${path} ${rule}`)).toEqual(["packet 2 capture-cut-off"]);
    }
  });

  test.each([
    ["an enhanced", {}, 84],
    ["a simple", { isSimple: true }, 72],
  ])("%s block of pcapng that claims more bytes than it has ends the reading", (_, form, lengthAt) => {
    const { linkType, frames } = frame("ethernet", [syn, { ...syn, atMs: 2_000 }]);
    const bytes = writePcapng(linkType, frames, form);
    expect(parsePcap(bytes).packets).toHaveLength(2);
    expect(bytes[lengthAt]).toBe(frames[0]?.bytes.length);
    bytes[lengthAt] = 0xf0;
    const { packets, findings } = parsePcap(bytes);
    expect(packets).toEqual([]);
    expect(findings.map(({ path, rule }) => `${path} ${rule}`)).toEqual(["packet 1 capture-cut-off"]);
  });

  test("no content makes it throw", () => {
    const [linkType] = links.ethernet;
    const { frames } = frame("ethernet", [syn, datagram(2_000), echo(3_000)]);
    const whole = fc.constantFrom(writePcap(linkType, frames), writePcapng(linkType, frames));
    const change = fc.record({ at: fc.nat(600), to: fc.constantFrom(0, 1, 0x45, 0x60, 0x7f, 0x80, 0xff) });
    const broken = fc
      .tuple(whole, fc.array(change, { maxLength: 8 }), fc.nat(600))
      .map(([bytes, changes, end]) => {
        const copy = bytes.slice(0, Math.max(4, end));
        for (const { at, to } of changes) copy[at % copy.length] = to;
        return copy;
      });
    const noise = fc.oneof(fc.uint8Array({ maxLength: 200 }), broken);
    fc.assert(
      fc.property(noise, (bytes) => {
        const reading = parsePcap(bytes);
        expect(reading.packets.every(({ atMs }) => Number.isFinite(atMs))).toBe(true);
        expect(reading.findings.length).toBeLessThan(20);
      }),
      runs(150),
    );
  });
});
