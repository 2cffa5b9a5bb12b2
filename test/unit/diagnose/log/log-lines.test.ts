import { describe, expect, test } from "vitest";
import { formatSimulation } from "../../../../src/diagnose/format-simulation";
import { explainLogLines } from "../../../../src/diagnose/log/explain-log";
import { parseLogLines } from "../../../../src/diagnose/log/log-lines";
import type { PolicyInput } from "../../../../src/policy/policy";
import { edge, readPolicy } from "../../policy/read-policy";

const [me, other] = ["198.51.100.7", "198.51.100.8"];

function logging(log: Partial<NonNullable<PolicyInput["log"]>> = {}) {
  return readPolicy({ ...edge, log: { events: ["opened", "accepted", "dropped", "reset"], ...log } });
}

function packet({
  from = me,
  port = 22,
  protocol = "TCP",
  end = "WINDOW=64240 RES=0x00 SYN URGP=0",
} = {}): string {
  const ends = `MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00 SRC=${from} DST=203.0.113.7`;
  return `IN=eth0 OUT= ${ends} LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=5 DF PROTO=${protocol} SPT=50000 DPT=${port} ${end}`;
}

function explain(lines: readonly string[], policy = logging()) {
  const { events, findings, skipped } = parseLogLines(lines.join("\n"), policy);
  expect([...findings, ...skipped]).toEqual([]);
  return explainLogLines(policy, events);
}

describe("a log", () => {
  test("has an event for each line of the policy, among any other lines", () => {
    const lines = [
      "Nov 24 14:05:24 edge systemd[1]: Started x.",
      `Nov 24 14:05:25 edge kernel: knockgate ssh dropped ${packet()}`,
      `Nov 24 14:05:26 edge kernel: knockgate ssh reset ${packet({ port: 443, protocol: "UDP", end: "LEN=8" })}`,
      `Nov 24 14:05:27 edge kernel: knockgate ssh opened ${packet({ port: 41_003 })}\r`,
      `Nov 24 14:05:28 edge kernel: knockgate ssh accepted IN=eth0 OUT= SRC=2001:0db8:0000:0000:0000:0000:0000:0007 DST=2001:0db8::1 LEN=80 TC=0 PROTO=TCP SPT=50001 DPT=22`,
      `Nov 24 14:05:29 edge kernel: knockgate ssh reset IN=eth0 OUT= SRC=${me} DST=203.0.113.7 LEN=105 PROTO=ICMP TYPE=8 CODE=0 ID=7 SEQ=1`,
      `Nov 24 14:05:30 edge kernel: otherfw ssh dropped ${packet()}`,
    ];
    const { events, findings, skipped } = parseLogLines(lines.join("\n"), logging());
    expect({ findings, skipped }).toEqual({ findings: [], skipped: [] });
    const begin = events[0]?.atMs ?? 0;
    expect(events.map(({ atMs, ...event }) => ({ after: atMs - begin, ...event }))).toEqual([
      { after: 0, gate: "ssh", event: "dropped", source: me, packet: "TCP", port: 22 },
      { after: 1_000, gate: "ssh", event: "reset", source: me, packet: "UDP", port: 443 },
      { after: 2_000, gate: "ssh", event: "opened", source: me, packet: "TCP", port: 41_003 },
      { after: 3_000, gate: "ssh", event: "accepted", source: "2001:db8::7", packet: "TCP", port: 22 },
      { after: 4_000, gate: "ssh", event: "reset", source: me, packet: "ping" },
    ]);
  });

  test("goes on over the end of a year that its lines don't name", () => {
    const lines = ["Dec 31 23:59:59", "Jan  1 00:00:01"].map(
      (time) => `${time} edge kernel: knockgate ssh dropped ${packet()}`,
    );
    const [one, next] = parseLogLines(lines.join("\n"), logging()).events;
    expect((next?.atMs ?? 0) - (one?.atMs ?? 0)).toBe(2_000);
  });

  test("has findings for unreadable lines, and reports what is left out", () => {
    const lines = [
      "[1.0] knockgate ssh dropped IN=eth0 OUT= MAC=02:00",
      `[1.0] knockgate ssh dropped ${packet({ port: 0 })}`,
      `[1.0] knockgate web dropped ${packet()}`,
      `knockgate ssh dropped ${packet()}`,
    ];
    const { events, findings, skipped } = parseLogLines(lines.join("\n"), logging());
    expect(events).toHaveLength(1);
    expect(findings.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
      "line 1 log-line",
      "line 2 log-line",
    ]);
    expect(skipped).toEqual([
      "1 line: of gates that the policy does not have",
      "the times of 1 line: the log has none, so each line has the time of the line before",
    ]);
  });

  test("for a policy that writes none is a finding", () => {
    const { events, findings } = parseLogLines(`[1.0] knockgate ssh dropped ${packet()}`, readPolicy(edge));
    expect(events).toEqual([]);
    expect(findings).toEqual([expect.objectContaining({ path: "policy.log", rule: "log-off" })]);
  });

  test("is read by the policy's own prefix", () => {
    const policy = logging({ prefix: "gate-1" });
    expect(parseLogLines(`[1.0] gate-1 ssh dropped ${packet()}`, policy).events).toHaveLength(1);
    expect(parseLogLines(`[1.0] knockgate ssh dropped ${packet()}`, policy).events).toEqual([]);
    expect(parseLogLines(`[1.0] my-gate-1 ssh dropped ${packet()}`, policy).events).toEqual([]);
  });
});

describe("the trace of a log", () => {
  const line = (at: number, event: string, from = me, port = 22) =>
    `[${at.toFixed(6)}] knockgate ssh ${event} ${packet({ from, port })}`;

  test("is a trace of its lines, without the ports of steps", () => {
    const lines = [
      line(5, "dropped"),
      line(6, "reset", me, 47_777),
      line(7, "opened", me, 41_003),
      line(8, "accepted"),
      line(40, "dropped"),
    ];
    const said = formatSimulation(explain(lines));
    expect(said).toBe(
      [
        "0 s 198.51.100.7 TCP 22: ssh: dropped at the closed door",
        "1 s 198.51.100.7 TCP: ssh: another packet between two steps: strict puts the source back to the start",
        "2 s 198.51.100.7 TCP: ssh: the last step came: the door is open until 32 s",
        "3 s 198.51.100.7 TCP 22: ssh: came through the open door, which closes at 32 s",
        "35 s 198.51.100.7 TCP 22: ssh: dropped: the door closed 3 s ago",
        "198.51.100.7 at gate ssh: open [open]: all 3 steps came; the door was open from 2 s to 32 s; a connection came through at 3 s.",
        "",
      ].join("\n"),
    );
    const { events } = parseLogLines(lines.join("\n"), logging());
    expect(explainLogLines(logging(), events, { showSecrets: true }).trace[2]?.text).toContain("TCP 41003");
  });

  test.each<readonly [string, readonly string[], boolean, string, string]>([
    [
      "drops alone",
      [line(1, "dropped"), line(2, "dropped")],
      false,
      "missing-step",
      "2 × dropped at the closed door; the knock was not completed: a step did not come, came late, or was another one",
    ],
    [
      "a reset",
      [line(1, "reset"), line(2, "dropped")],
      false,
      "put-back",
      "another packet came between two steps, and strict put the source back to the start",
    ],
    [
      "a late connection",
      [line(1, "opened"), line(32, "dropped")],
      false,
      "tried-too-late",
      "all 3 steps came; the door was open from 0 s to 30 s; a connection came 1 s after that",
    ],
    [
      "an early one",
      [line(1, "dropped"), line(2, "opened")],
      true,
      "tried-too-early",
      "all 3 steps came; the door was open from 1 s to 31 s; the last connection came 1 s before that",
    ],
    [
      "a connection alone",
      [line(1, "accepted")],
      true,
      "open",
      "a connection came through the open door at 0 s",
    ],
  ])("ends, on %s, with a verdict", (_, lines, isOpen, reason, text) => {
    expect(explain(lines).verdicts).toEqual([expect.objectContaining({ source: me, isOpen, reason, text })]);
  });

  test("keeps sources apart, and does not claim what is not logged", () => {
    const { verdicts } = explain(
      [line(1, "opened"), line(2, "dropped", other)],
      logging({ events: ["dropped"] }),
    );
    expect(verdicts.map(({ source, reason }) => `${source} ${reason}`)).toEqual([
      `${me} open`,
      `${other} missing-step`,
    ]);
    expect(verdicts[1]?.text).toContain(
      'it is not known whether a knock was completed: log.events has no "opened"',
    );
  });
});
