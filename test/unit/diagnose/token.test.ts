import { describe, expect, test } from "vitest";
import type { CapturedPacket } from "../../../src/diagnose/capture/captured-packet";
import { parsePackets } from "../../../src/diagnose/capture/packet-text";
import { explainCounters } from "../../../src/diagnose/explain-counts";
import { formatSimulation } from "../../../src/diagnose/format-simulation";
import { explainLogLines } from "../../../src/diagnose/log/explain-log";
import { parseLogLines } from "../../../src/diagnose/log/log-lines";
import { type SimulationOptions, simulatePackets } from "../../../src/diagnose/simulate";
import type { PolicyInput } from "../../../src/policy/policy";
import { slotAt, tokenOf } from "../../../src/policy/token";
import { readPolicy } from "../policy/read-policy";

const adaKey = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";
const benKey = "Zx8Lw3Qe1Rt6Yu9Io2Pa5Sd7Fg0Hj4Kl_Zc-VbNmAqW";
const tokenHost = "edge.example.org";
const [me, other] = ["198.51.100.7", "198.51.100.8"];
const beginMs = Date.UTC(2030, 0, 1, 12);
const now = slotAt(beginMs, 60);

function team(more: Partial<PolicyInput> = {}) {
  return readPolicy({
    name: "edge",
    users: [
      { name: "ada", key: adaKey },
      { name: "ben", key: benKey, from: ["192.0.2.0/24"] },
    ],
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } }],
    ...more,
  });
}

interface Sent {
  readonly key?: string;
  readonly slot?: number;
  readonly host?: string;
  readonly afterSeconds?: number;
  readonly source?: string;
  readonly bytes?: number;
}

/** A datagram with a token, as a capture has it. */
function send({
  key = adaKey,
  slot = 0,
  host = tokenHost,
  afterSeconds = 0,
  source = me,
  bytes = 16,
}: Sent = {}): CapturedPacket {
  return {
    atMs: beginMs + afterSeconds * 1_000,
    source,
    destination: "203.0.113.7",
    kind: { kind: "udp", port: 62_201, sourcePort: 40_000, payloadBytes: bytes },
    token: tokenOf(key, { policy: "edge", gate: "ssh", host, slot: now + slot }),
  };
}

function connect(afterSeconds: number, source = me): CapturedPacket {
  const kind = { kind: "tcp", port: 22, sourcePort: 40_001 } as const;
  return { atMs: beginMs + afterSeconds * 1_000, source, destination: "203.0.113.7", kind };
}

function simulate(packets: readonly CapturedPacket[], options: SimulationOptions = { tokenHost }) {
  return simulatePackets(team(), packets, options);
}

describe("a capture with tokens", () => {
  test.each<readonly [string, readonly CapturedPacket[], string, string]>([
    [
      "a right token",
      [send(), connect(1)],
      "open",
      "a right token came; the door was open from 0 s to 30 s; a connection came through at 1 s",
    ],
    [
      "a token beyond a loss",
      [send({ slot: 10_081 })],
      "token-early",
      "at 0 s came a packet with a token of a slot beyond the horizon",
    ],
    [
      "a late token",
      [send({ slot: -4 })],
      "token-late",
      "at 0 s came a packet with a token whose slot and grace are over",
    ],
    [
      "a token from elsewhere",
      [send({ key: benKey })],
      "token-source",
      "at 0 s came a packet with a token of a user whose tokens do not count from this source",
    ],
    [
      "a token for another host",
      [send({ host: "edge2.example.org" })],
      "token-unknown",
      "at 0 s came a packet of the size of a token, but none of this gate's users made it for this gate and host",
    ],
    [
      "a token of no user, and then a late one",
      [send({ key: `${adaKey}2` }), send({ slot: -4, afterSeconds: 1 }), connect(2)],
      "token-late",
      "at 1 s came a packet with a token whose slot and grace are over",
    ],
    [
      "two bytes too many",
      [send({ bytes: 18 }), connect(1)],
      "wrong-size",
      "a datagram came to the port of tokens with 2 bytes too many for one",
    ],
    [
      "one byte too few",
      [send({ bytes: 15 })],
      "wrong-size",
      "a datagram came to the port of tokens with 1 byte too few for one",
    ],
    ["no token", [connect(1)], "no-step", "no token came; 1 × dropped at the closed door"],
  ])("is judged: %s", (_, packets, reason, text) => {
    const { verdicts } = simulate(packets);
    expect(verdicts).toEqual([
      expect.objectContaining({
        source: me,
        gate: "ssh",
        reason,
        text,
        isOpen: reason === "open",
        isTried: true,
      }),
    ]);
  });

  test("knows a token that another source used before", () => {
    const { verdicts, trace } = simulate([
      send(),
      send({ source: other, afterSeconds: 1 }),
      connect(2, other),
    ]);
    expect(verdicts.map(({ source, reason }) => `${source} ${reason}`)).toEqual([
      `${me} open`,
      `${other} token-spent`,
    ]);
    expect(trace.map(({ text }) => text)).toEqual([
      "UDP: ssh: a token of ada: the door is open until 30 s",
      "UDP: ssh: a token that was used, or that the host had lost before: it does not count again",
      "TCP 22: ssh: dropped at the closed door",
    ]);
  });

  test("says who closed a door, and that it is closed then", () => {
    const { verdicts, trace } = simulate([send(), send({ slot: 1, bytes: 17, afterSeconds: 5 }), connect(6)]);
    expect(trace.map(({ text }) => text).slice(1)).toEqual([
      "UDP: ssh: a token of ada closed the door",
      "TCP 22: ssh: dropped: the door closed 1 s ago",
    ]);
    expect(verdicts[0]?.reason).toBe("tried-too-late");
  });

  test("without the host's name for tokens, and packets from text, say only that a packet has the size", () => {
    const { packets } = parsePackets(`0 ${me} udp 62201 16 bytes\n+1 tcp 22`);
    for (const { verdicts, trace } of [simulate([send(), connect(1)], {}), simulate(packets)]) {
      expect(trace[0]?.text).toBe("UDP: ssh: of the size of a token, which was not read");
      expect(verdicts).toEqual([
        expect.objectContaining({
          reason: "token-unread",
          isOpen: false,
          text: "a packet of the size of a token came at 0 s, and was not read",
        }),
      ]);
    }
  });

  test("shows neither a key nor a token", () => {
    const sent = [send(), send({ slot: -9 }), send({ host: "x" }), connect(1)];
    const shown = simulate(sent, { tokenHost, showSecrets: true });
    const text = formatSimulation(shown) + JSON.stringify(shown);
    for (const { token } of sent) if (token !== undefined) expect(text).not.toContain(token);
    expect(text).not.toMatch(/kFq2|Zx8L/);
  });
});

describe("a log and counters of a gate with tokens", () => {
  const log = { events: ["opened", "accepted", "dropped"] as const };
  const line = (event: string, port: number, protocol = "TCP") =>
    `Nov 24 14:05:25 edge kernel: knockgate ssh ${event} IN=eth0 OUT= SRC=${me} DST=203.0.113.7 LEN=44 PROTO=${protocol} SPT=50000 DPT=${port} LEN=24`;
  const explain = (lines: readonly string[], events: readonly (typeof log.events)[number][] = log.events) => {
    const policy = team({ log: { events: [...events] } });
    const { events: read, findings } = parseLogLines(lines.join("\n"), policy);
    expect(findings).toEqual([]);
    return explainLogLines(policy, read);
  };

  test("name who opened", () => {
    const { trace, verdicts } = explain([line("opened ada", 62_201, "UDP"), line("accepted", 22)]);
    expect(trace.map(({ text }) => text)).toEqual([
      "UDP: ssh: a token of ada came: the door is open until 30 s",
      "TCP 22: ssh: came through the open door, which closes at 30 s",
    ]);
    expect(verdicts[0]).toMatchObject({ reason: "open", isOpen: true });
  });

  test.each<readonly [readonly (typeof log.events)[number][], string]>([
    [
      ["opened", "dropped"],
      "1 × dropped at the closed door; no token opened the door: none came, or it was used, late, early or not of this gate and host",
    ],
    [
      ["dropped"],
      '1 × dropped at the closed door; it is not known whether a knock was completed: log.events has no "opened"',
    ],
  ])("that has only drops, with the events %j, claims no more than it knows", (events, text) => {
    expect(explain([line("dropped", 22)], events).verdicts).toEqual([
      expect.objectContaining({ reason: "no-step", text }),
    ]);
  });

  test("that counted only drops says that no token opened", () => {
    const counts = (dropped: number) => new Map([["ssh", { opened: 3, accepted: 3, dropped, reset: 0 }]]);
    expect(explainCounters(team(), counts(1), counts(4))).toEqual([
      "ssh: 0 opened, 0 accepted, 3 dropped, 0 reset: connections arrive and are dropped, and no token opened the door: none came, or it was used, late, early or made for another gate or host",
    ]);
  });
});
