import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parsePackets } from "../../../src/diagnose/capture/packet-text";
import { formatSimulation } from "../../../src/diagnose/format-simulation";
import { simulatePackets } from "../../../src/diagnose/simulate";
import { readPolicy } from "../policy/read-policy";
import { knocked, one, plain, play, ssh, three, two } from "./play";

describe("a trace", () => {
  test("says of each packet what the gate made of it, with times and without ports", () => {
    const { trace, beginMs } = play(
      [
        "3 198.51.100.7 tcp 47001",
        "+6.1 udp 58002",
        "+1 tcp 47001",
        "+0.4 tcp 22",
        "+0.1 udp 58002",
        "+1 tcp 36004",
      ].concat(["+2 tcp 22", "+0 established", "+0 tcp 80", "+28 tcp 22"]),
    );
    expect(beginMs).toBe(3_000);
    expect(trace.map(({ text }) => text)).toEqual([
      "TCP: ssh: step 1 of 3 taken",
      "UDP: ssh: step 2 came 6.1 s after step 1; stepTimeout is 5 s; the steps so far are forgotten",
      "TCP: ssh: step 1 of 3 taken",
      "TCP 22: ssh: dropped at the closed door; 1 of 3 steps taken",
      "UDP: ssh: step 2 of 3 taken 0.5 s after step 1",
      "TCP: ssh: step 3 of 3 taken 1 s after step 2: the door is open until 38.6 s",
      "TCP 22: ssh: came through the open door, which closes at 38.6 s",
      "of an established connection: it matches no gate",
      "TCP: it matches no gate",
      "TCP 22: ssh: dropped: the door closed 0 s ago",
    ]);
  });

  test("says why a step was lost", () => {
    const texts = (lines: readonly string[], knock = plain) => play(lines, knock).trace.at(-1)?.text;
    expect(texts([one, "+0.1 tcp 443"])).toBe(
      "TCP: ssh: another packet came between step 1 and step 2; strict puts the source back to the start",
    );
    expect(texts([one, two, "+0.1 tcp 47001 from 9"])).toBe(
      "TCP: ssh: step 1 came again after step 2; the knock begins again: step 1 of 3 taken",
    );
    expect(texts([one, two, "+0.1 udp 58002"])).toBe("UDP: ssh: step 2 once more, which changes nothing");
    expect(texts([one, three], { ...plain, strict: false })).toBe(
      "TCP: ssh: step 3 came before step 2; 1 of 3 taken",
    );
  });

  test("of a knock that opens has only its steps, in order of time", () => {
    const long = { steps: [{ tcp: 47_001 }, { tcp: 47_009 }, { tcp: 36_004 }, { tcp: 47_020 }] };
    const { packets } = parsePackets([one, "+1 tcp 47009", "+1 tcp 36004", "+1 tcp 47020"].join("\n"));
    const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: long }];
    const { trace } = simulatePackets(readPolicy({ name: "edge", gates }), packets.toReversed());
    expect(trace.map(({ text }) => text)).toEqual([
      "TCP: ssh: step 1 of 4 taken",
      "TCP: ssh: step 2 of 4 taken 1 s after step 1",
      "TCP: ssh: step 3 of 4 taken 1 s after step 2",
      "TCP: ssh: step 4 of 4 taken 1 s after step 3: the door is open until 33 s",
    ]);
  });

  test("has ports and sizes where they are asked for", () => {
    const { trace } = play([...knocked, "+0 tcp 80"], ssh, {}, { showSecrets: true });
    expect(trace.map(({ text }) => text.replace(/: .*/, ""))).toEqual([
      "TCP 47001",
      "UDP 58002, 9 bytes",
      "ping, 844 bytes",
      "TCP 80",
    ]);
  });

  test("as lines leaves out packets that no gate looks at, and ends with the verdicts", () => {
    const lines = [
      one,
      two,
      three,
      "+0.1 tcp 22",
      "+0 tcp 80",
      "+1 192.0.2.9 tcp 81",
      "+1 192.0.2.10 tcp 82",
    ];
    expect(formatSimulation(play(lines))).toBe(
      [
        "0 s 198.51.100.7 TCP: ssh: step 1 of 3 taken",
        "0.2 s 198.51.100.7 UDP: ssh: step 2 of 3 taken 0.2 s after step 1",
        "0.4 s 198.51.100.7 TCP: ssh: step 3 of 3 taken 0.2 s after step 2: the door is open until 30.4 s",
        "0.5 s 198.51.100.7 TCP 22: ssh: came through the open door, which closes at 30.4 s",
        "3 more that match no gate",
        "198.51.100.7 at gate ssh: open [open]: all 3 steps came; the door was open from 0.4 s to 30.4 s; a connection came through at 0.5 s.",
        "2 sources (192.0.2.9 among them): no step came, and no gate was tried",
        "",
      ].join("\n"),
    );
    expect(formatSimulation(play([]))).toBe("no packet came that could begin a knock or a connection\n");
    expect(formatSimulation(play([lines[5]?.replace("+1 ", "0 ") ?? ""]))).toBe(
      "0 s 192.0.2.9 TCP: it matches no gate\n192.0.2.9: no step came, and no gate was tried\n",
    );
  });
});

describe("of a capture", () => {
  const [host, hostV6] = ["203.0.113.7", "2001:db8::1"];
  const policy = readPolicy({
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: plain }],
  });
  const { packets } = parsePackets([one, two, three].join("\n"));
  const towards = (destination: string) => packets.map((packet) => ({ ...packet, destination }));
  const noise = Array.from({ length: 20 }, (_, index) => {
    return {
      atMs: index,
      source: host,
      destination: "192.0.2.53",
      kind: { kind: "udp", port: 53, sourcePort: index, payloadBytes: 9 },
    } as const;
  });

  test("only packets to the host count; it is the one that steps and connections went to", () => {
    const { host: found, trace, verdicts } = simulatePackets(policy, [...noise, ...towards(host)]);
    expect(found).toEqual([host]);
    expect(trace).toHaveLength(3);
    expect(verdicts.map(({ reason }) => reason)).toEqual(["open"]);
    expect(simulatePackets(policy, [...noise, ...towards(hostV6)]).host).toEqual(["192.0.2.53", hostV6]);
  });

  test("only packets to the addresses that are given count, however they are spelled", () => {
    const all = [...towards("203.0.113.8"), ...towards(hostV6)];
    expect(simulatePackets(policy, all, { host: ["2001:DB8:0::1"] })).toMatchObject({ host: [hostV6] });
    expect(simulatePackets(policy, all, { host: ["192.0.2.1"] })).toMatchObject({
      host: [],
      trace: [],
      verdicts: [],
    });
  });

  test("the documentation shows the trace of a late step", () => {
    const document = readFileSync(join(__dirname, "..", "..", "..", "docs", "simulate.md"), "utf8");
    const lines = [one, "+6.1 udp 58002", "+0.2 tcp 36004", "+0.2 tcp 22"].join("\n");
    const sent = parsePackets(lines).packets.map((packet) => ({ ...packet, destination: host }));
    expect(document).toContain(`\`\`\`text\n${formatSimulation(simulatePackets(policy, sent))}\`\`\`\n`);
  });
});
