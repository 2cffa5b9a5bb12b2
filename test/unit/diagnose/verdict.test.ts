import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSimulation } from "../../../src/diagnose/format-simulation";
import { adviceByReason } from "../../../src/diagnose/verdict";
import { runs } from "../runs";
import { type Knock, knocked, one, plain, play, secrets, ssh, three, two } from "./play";

describe("a verdict", () => {
  test.each<readonly [string, readonly string[], Knock, boolean, string, string]>([
    [
      "the whole knock and a connection",
      [...knocked, "+1 tcp 22"],
      ssh,
      true,
      "open",
      "all 3 steps came; the door was open from 1 s to 31 s; a connection came through at 2 s",
    ],
    [
      "the whole knock, and nothing more",
      knocked,
      ssh,
      true,
      "open",
      "all 3 steps came; the door was open from 1 s to 31 s; no connection was tried",
    ],
    [
      "a connection before the last step",
      [...knocked.slice(0, 2), "+0.1 tcp 22", knocked[2] ?? ""],
      ssh,
      true,
      "tried-too-early",
      "all 3 steps came; the door was open from 1.1 s to 31.1 s; the last connection came 0.5 s before that",
    ],
    [
      "a connection after the door has closed",
      [...knocked, "+31.5 tcp 22"],
      ssh,
      false,
      "tried-too-late",
      "all 3 steps came; the door was open from 1 s to 31 s; a connection came 1.5 s after that",
    ],
    ["nothing that a gate knows", ["0 198.51.100.7 tcp 80"], plain, false, "no-step", "no step came"],
    [
      "connections alone",
      ["0 198.51.100.7 tcp 22", "+1 tcp 22"],
      plain,
      false,
      "no-step",
      "no step came; 2 × dropped at the closed door",
    ],
    [
      "a knock that ends early",
      [one, two],
      plain,
      false,
      "missing-step",
      "step 3 of 3 never came after step 2",
    ],
    [
      "a step that is left out",
      [one, "+8 tcp 80"],
      plain,
      false,
      "missing-step",
      "step 2 had not come 8 s after step 1; stepTimeout is 5 s",
    ],
    [
      "a late step",
      [one, "+6.1 udp 58002", three],
      plain,
      false,
      "too-late",
      "step 2 came 6.1 s after step 1; stepTimeout is 5 s",
    ],
    [
      "a step just in time to be late",
      [one, "+5 udp 58002"],
      plain,
      false,
      "too-late",
      "step 2 came 5 s after step 1; stepTimeout is 5 s",
    ],
    ["steps in the wrong order", [one, three, two], plain, false, "wrong-order", "step 3 came before step 2"],
    [
      "the first step second",
      ["0 198.51.100.7 udp 58002", "+0.2 tcp 47001", three],
      plain,
      false,
      "wrong-order",
      "step 3 came before step 2",
    ],
    [
      "steps in the wrong order where strict is off",
      [one, three, two],
      { ...plain, strict: false },
      false,
      "wrong-order",
      "step 3 came before step 2",
    ],
    [
      "another packet in mid-knock",
      [one, "+0.1 tcp 443", two, three],
      plain,
      false,
      "put-back",
      "another packet came between step 1 and step 2",
    ],
    [
      "an earlier step once more, by a client",
      [one, two, "+0.1 tcp 47001 from 5009", three],
      plain,
      false,
      "put-back",
      "step 1 came again after step 2",
    ],
    [
      "an earlier step once more, by the system",
      [one, two, "+0.6 tcp 47001 from 5001", three],
      plain,
      false,
      "retransmitted",
      "step 1 came again after step 2, from the same source port: sent again by the client's system",
    ],
    [
      "a middle step once more, by the system",
      [one, "+1 tcp 47009 from 6", three, "+0.1 tcp 47009 from 6", "+1 tcp 47010"],
      { steps: [{ tcp: 47_001 }, { tcp: 47_009 }, { tcp: 36_004 }, { tcp: 47_010 }] },
      false,
      "retransmitted",
      "step 2 came again after step 3, from the same source port: sent again by the client's system",
    ],
    [
      "like steps from one source port",
      [one, "+1 tcp 47001 from 5001", three],
      { steps: [{ tcp: 47_001 }, { tcp: 47_001 }, { tcp: 36_004 }] },
      false,
      "retransmitted",
      "step 2 is like step 1 and came from the same source port, so it counts as step 1 sent again",
    ],
    [
      "later like steps from one source port",
      [one, "+1 udp 58002 from 7", "+1 udp 58002 from 7"],
      { steps: [{ tcp: 47_001 }, { udp: 58_002 }, { udp: 58_002 }] },
      false,
      "retransmitted",
      "step 3 is like step 2 and came from the same source port, so it counts as step 2 sent again",
    ],
    [
      "UDP for TCP",
      [one, two, "+0.1 udp 36004"],
      plain,
      false,
      "wrong-protocol",
      "step 3 came over UDP and not over TCP",
    ],
    [
      "TCP for UDP",
      [one, "+0.1 tcp 58002", three],
      plain,
      false,
      "wrong-protocol",
      "step 2 came over TCP and not over UDP",
    ],
    [
      "a first step over the wrong protocol",
      ["0 198.51.100.7 udp 47001", two, three],
      plain,
      false,
      "wrong-protocol",
      "step 1 came over UDP and not over TCP",
    ],
    [
      "a ping whose size counts the header",
      [...knocked.slice(0, 2), "+0.5 icmp 852 bytes"],
      ssh,
      false,
      "wrong-size",
      "step 3 came with 8 bytes of payload too many",
    ],
    [
      "a datagram that is too small",
      [knocked[0] ?? "", "+0.5 udp 58002 8 bytes"],
      ssh,
      false,
      "wrong-size",
      "step 2 came with 1 byte of payload too few",
    ],
    [
      "two attempts, of which the second came further",
      [one, "+0.1 tcp 443", "+20 tcp 47001", two, "+7 tcp 36004"],
      plain,
      false,
      "too-late",
      "step 3 came 7 s after step 2; stepTimeout is 5 s",
    ],
    [
      "two attempts that came as far",
      [one, "+0.1 tcp 443", "+20 tcp 47001", "+7 udp 58002"],
      plain,
      false,
      "put-back",
      "another packet came between step 1 and step 2",
    ],
    [
      "an attempt after one that failed",
      [one, "+7 udp 58002", "+9 tcp 47001", two, three, "+1 tcp 22"],
      plain,
      true,
      "open",
      "all 3 steps came; the door was open from 16.4 s to 46.4 s; a connection came through at 17.4 s",
    ],
  ])("on %s", (_, lines, knock, isOpen, reason, text) => {
    const simulation = play(lines, knock);
    expect(simulation.verdicts).toEqual([
      expect.objectContaining({ source: "198.51.100.7", gate: "ssh", isOpen, reason, text }),
    ]);
    expect(simulation.verdicts[0]?.advice === "").toBe(reason === "open");
    expect(formatSimulation(simulation)).not.toMatch(secrets);
  });

  test.each([
    ["allowFrom", true, "allowed"],
    ["denyFrom", false, "denied"],
  ])("on a source in %s says so, whatever it sends", (list, isOpen, reason) => {
    const { verdicts, trace } = play([...knocked, "+1 tcp 22"], ssh, { [list]: ["198.51.100.0/24"] });
    expect(verdicts).toEqual([expect.objectContaining({ isOpen, reason })]);
    expect(trace[0]?.text).toBe(`TCP: the source is in ${list}`);
  });

  test.each([
    ["fe80::7", {}, "link-local"],
    ["169.254.1.7", {}, "link-local"],
    ["fe80::7", { allowFrom: ["fe80::/64"] }, "allowed"],
    ["2001:db8::7", {}, "open"],
  ])("on a knock from %s, whose link may not be the only one with it, says so", (source, more, reason) => {
    const from = (line: string) => line.replace("198.51.100.7", source);
    const { verdicts } = play([...knocked, "+1 tcp 22"].map(from), ssh, more);
    expect(verdicts).toEqual([expect.objectContaining({ source, reason, isOpen: reason !== "link-local" })]);
  });

  test.each([
    ["of two families", "2001:db8::7"],
    ["behind one NAT", "198.51.100.8"],
  ])("on a knock from two addresses %s names them", (_, other) => {
    const { verdicts } = play([
      one,
      `+0.2 ${other} udp 58002`,
      "+0.2 198.51.100.7 tcp 36004",
      "+9 192.0.2.9 tcp 47001",
    ]);
    const text = `the steps came from several addresses: step 1 from 198.51.100.7, step 2 from ${other}, step 3 from 198.51.100.7`;
    expect(verdicts.map(({ source, reason }) => `${source} ${reason}`)).toEqual([
      "198.51.100.7 two-sources",
      `${other} two-sources`,
      "192.0.2.9 missing-step",
    ]);
    expect(verdicts[0]?.text).toBe(text);
  });

  test("does not blame an address for which the door opened by itself", () => {
    const own = [
      one,
      "+0 198.51.100.8 tcp 47001",
      two,
      "+0 198.51.100.7 udp 58002",
      three,
      "+0 198.51.100.8 tcp 36004",
    ];
    expect(play(own.slice(0, 5)).verdicts.map(({ reason }) => reason)).toEqual(["open", "missing-step"]);
    expect(play(own).verdicts.map(({ reason }) => reason)).toEqual(["open", "open"]);
  });

  test("says open exactly when the model opens, and otherwise why not, for any packets in any order", () => {
    const packet = fc.constantFrom(
      "tcp 47001",
      "udp 58002",
      "tcp 36004",
      "tcp 58002",
      "tcp 22",
      "tcp 80",
      "icmp 56 bytes",
    );
    const line = fc
      .tuple(fc.constantFrom("+0.1", "+0.1", "+0.1", "+6"), packet)
      .map((words) => words.join(" "));
    const lines = fc
      .array(line, { minLength: 1, maxLength: 8 })
      .map((list) => ["0 198.51.100.7 established", ...list]);
    const knock = fc.tuple(fc.shuffledSubarray(plain.steps, { minLength: 1 }), fc.boolean());
    fc.assert(
      fc.property(lines, knock, (sent, [steps, strict]) => {
        const simulation = play(sent, { steps, strict });
        const [verdict] = simulation.verdicts;
        const isOpened = simulation.trace.some(({ text }) => text.includes(": the door is open until"));
        expect(["open", "tried-too-early", "tried-too-late"].includes(verdict?.reason ?? "")).toBe(isOpened);
        expect(verdict?.advice === "").toBe(verdict?.reason === "open");
        expect(formatSimulation(simulation)).not.toMatch(secrets);
      }),
      runs(60),
    );
  });

  test("exists for each gate, and says which gates were tried", () => {
    const web = { name: "web", protect: [{ tcp: "443" }], knock: { steps: [{ udp: 39_003 }] } };
    const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: plain }, web];
    const { verdicts } = play([one, two, three], plain, { gates });
    expect(verdicts.map(({ gate, isOpen, isTried, reason }) => [gate, isOpen, isTried, reason])).toEqual([
      ["ssh", true, true, "open"],
      ["web", false, false, "no-step"],
    ]);
  });
});

test("every verdict is in the documentation, with its advice", () => {
  const document = readFileSync(join(__dirname, "..", "..", "..", "docs", "simulate.md"), "utf8");
  const rows = [...document.matchAll(/^\| `([a-z-]+)` \| .+ \| (.*) \|$/gm)].map(([, reason, advice]) => [
    reason,
    advice,
  ]);
  expect(rows).toEqual(
    Object.entries(adviceByReason).map(([reason, advice]) => [reason, advice || "nothing"]),
  );
});
