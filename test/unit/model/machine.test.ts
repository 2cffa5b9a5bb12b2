import { describe, expect, test } from "vitest";
import { isOpen, receivePacket } from "../../../src/model/machine";
import type { PacketKind } from "../../../src/model/packet";
import { initialState, type State } from "../../../src/model/state";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../policy/read-policy";

type StepInput = NonNullable<PolicyInput["gates"][number]["knock"]["steps"]>[number];

const me = "192.0.2.7";
const tcp = (port: number, sourcePort = 50_000): PacketKind => ({ kind: "tcp", port, sourcePort });
const udp = (port: number, payloadBytes = 0, sourcePort = 50_000): PacketKind => {
  return { kind: "udp", port, sourcePort, payloadBytes };
};
const echo = (payloadBytes: number): PacketKind => ({ kind: "echo", payloadBytes });

const steps: readonly StepInput[] = [{ tcp: 7 }, { udp: 8 }, { icmpPayloadBytes: 9 }];
const knocked = [tcp(7), udp(8), echo(9)];

function ssh(knock: object = {}, more: object = {}) {
  return { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps], ...knock }, ...more };
}

function policy(knock: object = {}, more: Partial<PolicyInput> = {}): Policy {
  return readPolicy({ name: "edge", gates: [ssh(knock)], ...more });
}

type Sent = PacketKind | readonly [atMs: number, kind: PacketKind, source?: string];

/** Sends packets one after the other, all at 0 unless they give a time. Returns what the first gate made of each. */
function send(to: Policy, sent: readonly Sent[]): { state: State; kinds: string[]; verdicts: string[] } {
  let state = initialState;
  const kinds: string[] = [];
  const verdicts: string[] = [];
  for (const each of sent) {
    const [atMs, kind, source = me] = "kind" in each ? ([0, each] as const) : each;
    const outcome = receivePacket(to, state, { atMs, source, kind });
    state = outcome.state;
    verdicts.push(outcome.verdict);
    const reaction = outcome.reactions[0];
    kinds.push(reaction === undefined ? "" : `${reaction.kind} ${reaction.taken}`);
  }
  return { state, kinds, verdicts };
}

describe("a knock", () => {
  test("takes step after step, and opens with the last, for its source alone", () => {
    const { state, kinds, verdicts } = send(policy(), knocked);
    expect(kinds).toEqual(["step 1", "step 2", "opened 0"]);
    expect(verdicts).toEqual(["passed", "passed", "passed"]);
    expect(isOpen(state, me, "ssh", 0)).toBe(true);
    expect(isOpen(state, "192.0.2.8", "ssh", 0)).toBe(false);
    expect(isOpen(state, me, "web", 0)).toBe(false);
  });

  test("of one step opens at once, every time", () => {
    const one = policy({ steps: [{ tcp: 7 }] });
    const { state, kinds } = send(one, [tcp(7), [29_000, tcp(7)]]);
    expect(kinds).toEqual(["opened 0", "opened 0"]);
    expect(isOpen(state, me, "ssh", 58_999)).toBe(true);
  });

  test.each([
    ["another port", tcp(6)],
    ["another protocol", udp(7)],
    ["another size", echo(8)],
    ["a later step", echo(9)],
  ])("that is strict goes back to the start for %s", (_, kind) => {
    const { state, kinds } = send(policy(), [tcp(7), kind, udp(8), echo(9)]);
    expect(kinds).toEqual(["step 1", "reset 0", "stray 0", "stray 0"]);
    expect(isOpen(state, me, "ssh", 0)).toBe(false);
  });

  test.each([
    ["another port", tcp(6)],
    ["a later step", echo(9)],
  ])("that is not strict passes over %s", (_, kind) => {
    expect(send(policy({ strict: false }), [tcp(7), kind, udp(8), echo(9)]).kinds).toEqual([
      "step 1",
      "stray 1",
      "step 2",
      "opened 0",
    ]);
  });

  test("begins anew with its first step, strict or not", () => {
    for (const strict of [true, false]) {
      const { kinds } = send(policy({ strict }), [tcp(7), udp(8), tcp(7), echo(9), udp(8)]);
      expect(kinds.slice(0, 3)).toEqual(["step 1", "step 2", "step 1"]);
      expect(kinds[3]).toBe(strict ? "reset 0" : "stray 1");
      expect(kinds[4]).toBe(strict ? "stray 0" : "step 2");
    }
  });

  test("is not moved by the step just taken, sent again", () => {
    expect(send(policy(), [tcp(7), tcp(7), udp(8), udp(8), echo(9)]).kinds).toEqual([
      "step 1",
      "step 1",
      "step 2",
      "again 2",
      "opened 0",
    ]);
  });

  test("goes back to the start for a step before the one just taken", () => {
    const four = policy({ steps: [{ tcp: 1 }, { tcp: 2 }, { tcp: 3 }, { tcp: 4 }] });
    expect(send(four, [tcp(1), tcp(2), tcp(3), tcp(2)]).kinds.at(-1)).toBe("reset 0");
  });

  test("is not touched by what belongs to an established connection", () => {
    const { kinds, verdicts } = send(policy(), [tcp(7), { kind: "established" }, udp(8), echo(9)]);
    expect(kinds).toEqual(["step 1", "", "step 2", "opened 0"]);
    expect(verdicts[1]).toBe("passed");
  });

  test("is not touched by what arrives at a protected port", () => {
    expect(send(policy(), [tcp(7), tcp(22), udp(8), echo(9)]).kinds).toEqual([
      "step 1",
      "dropped 1",
      "step 2",
      "opened 0",
    ]);
  });

  test("of each source goes its own way", () => {
    const other = "2001:db8::7";
    const sent: Sent[] = [
      [0, tcp(7)],
      [0, tcp(7), other],
      [0, tcp(1), other],
      [0, udp(8)],
      [0, udp(8), other],
      [0, echo(9)],
    ];
    expect(send(policy(), sent).kinds).toEqual([
      "step 1",
      "step 1",
      "reset 0",
      "step 2",
      "stray 0",
      "opened 0",
    ]);
  });
});

describe("time", () => {
  test("lets a step come until just before the timeout, counted from the step before it", () => {
    const late = (ms: number) =>
      send(policy(), [tcp(7), [4_999, udp(8)], [4_999 + ms, echo(9)]]).kinds.at(-1);
    expect(late(4_999)).toBe("opened 0");
    expect(late(5_000)).toBe("stray 0");
  });

  test("is counted anew from a first step sent again, and from no other", () => {
    expect(send(policy(), [tcp(7), [4_000, tcp(7)], [8_000, udp(8)]]).kinds.at(-1)).toBe("step 2");
    const later: Sent[] = [tcp(7), udp(8), [4_000, udp(8)], [8_000, echo(9)]];
    expect(send(policy(), later).kinds).toEqual(["step 1", "step 2", "again 2", "stray 0"]);
  });

  test("that ran out says how many steps were forgotten, and the packet may be a first step", () => {
    const { state } = send(policy(), [tcp(7), udp(8)]);
    const outcome = receivePacket(policy(), state, { atMs: 9_000, source: me, kind: tcp(7) });
    expect(outcome.reactions).toEqual([{ gate: "ssh", kind: "step", taken: 1, expired: 2 }]);
  });

  test("closes the door just when openForSeconds are over, counted from the last knock", () => {
    const { state } = send(policy(), [...knocked, [20_000, tcp(7)], [20_000, udp(8)], [20_000, echo(9)]]);
    expect([0, 49_999, 50_000].map((atMs) => isOpen(state, me, "ssh", atMs))).toEqual([true, true, false]);
  });
});

describe("steps in a row that look alike", () => {
  const run = policy({ steps: [{ tcp: 7 }, { tcp: 7 }, { tcp: 7 }] });

  test("are taken by packets from source ports of their own", () => {
    const { kinds } = send(run, [tcp(7, 1), tcp(7, 2), tcp(7, 3)]);
    expect(kinds).toEqual(["step 1", "step 2", "opened 0"]);
  });

  test("are not taken by one packet that the network doubled, at any place", () => {
    const { state, kinds } = send(run, [tcp(7, 1), tcp(7, 1), tcp(7, 2), tcp(7, 1), tcp(7, 2), tcp(7, 2)]);
    expect(kinds).toEqual(["step 1", "step 1", "step 2", "again 2", "again 2", "again 2"]);
    expect(isOpen(state, me, "ssh", 0)).toBe(false);
  });

  test("know the source ports of their own run alone", () => {
    const apart = policy({ steps: [{ tcp: 7 }, { tcp: 9 }, { tcp: 7 }, { tcp: 7 }] });
    const { kinds } = send(apart, [tcp(7, 1), tcp(9, 1), tcp(7, 1), tcp(7, 1), tcp(7, 2)]);
    expect(kinds).toEqual(["step 1", "step 2", "step 3", "again 3", "opened 0"]);
  });

  test("may be a datagram of any size, and then one of a certain size", () => {
    const sized = policy({ steps: [{ udp: 7 }, { udp: 7, udpPayloadBytes: 5 }, { tcp: 9 }] });
    expect(send(sized, [udp(7, 5, 1), udp(7, 5, 1), udp(7, 5, 2)]).kinds.at(-1)).toBe("step 2");
    expect(send(sized, [udp(7, 4, 1), udp(7, 4, 2)]).kinds).toEqual(["step 1", "step 1"]);
  });
});

describe("a datagram", () => {
  const sized = policy({ steps: [{ udp: 7, udpPayloadBytes: 5 }, { tcp: 9 }] });

  test("is a step of a size only when it has it", () => {
    expect(send(sized, [udp(7, 4)]).kinds).toEqual(["stray 0"]);
    expect(send(sized, [udp(7, 5)]).kinds).toEqual(["step 1"]);
  });

  test("of any size is a step without one", () => {
    for (const size of [0, 1, 1_232]) {
      expect(send(policy({ steps: [{ udp: 7 }, { tcp: 9 }] }), [udp(7, size)]).kinds).toEqual(["step 1"]);
    }
  });
});

describe("a door", () => {
  test("drops before the knock, accepts after it, and drops when its time is over", () => {
    const sent: Sent[] = [tcp(22), ...knocked, tcp(22), [29_999, tcp(22)], [30_000, tcp(22)]];
    expect(send(policy(), sent).verdicts.filter((verdict) => verdict !== "passed")).toEqual([
      "dropped",
      "accepted",
      "accepted",
      "dropped",
    ]);
  });

  test("gates only its ports in their protocol", () => {
    const ranges = readPolicy({
      name: "edge",
      gates: [ssh({}, { protect: [{ tcp: "22" }, { udp: "50-60" }] })],
    });
    const verdicts = send(ranges, [tcp(22), udp(22), udp(50), udp(60), udp(61), tcp(50), echo(22)]).verdicts;
    expect(verdicts).toEqual(["dropped", "passed", "dropped", "dropped", "passed", "passed", "passed"]);
  });

  test("lets established connections go on when it is closed", () => {
    expect(send(policy(), [{ kind: "established" }]).verdicts).toEqual(["passed"]);
  });
});

describe("sources in lists", () => {
  const listed = policy({}, { allowFrom: ["192.0.2.0/24", "2001:db8::/32"], denyFrom: ["192.0.2.128/25"] });

  test("that are allowed pass without a knock, and no gate looks at their packets", () => {
    for (const source of ["192.0.2.7", "2001:db8::7"]) {
      const { kinds, verdicts } = send(
        listed,
        [tcp(22), ...knocked].map((kind) => [0, kind, source] as const),
      );
      expect(verdicts).toEqual(["passed", "passed", "passed", "passed"]);
      expect(kinds).toEqual(["", "", "", ""]);
    }
  });

  test("that are denied are dropped after their knock too, allowed or not", () => {
    const { kinds, verdicts } = send(
      listed,
      [...knocked, tcp(22), tcp(80)].map((kind) => [0, kind, "192.0.2.200"] as const),
    );
    expect(verdicts).toEqual(["passed", "passed", "passed", "dropped", "passed"]);
    expect(kinds).toEqual(["", "", "", "dropped 0", ""]);
  });
});

describe("two gates", () => {
  const web = { name: "web", protect: [{ tcp: "443" }], knock: { steps: [{ tcp: 7 }, { udp: 9 }] } };
  const two = readPolicy({ name: "edge", gates: [ssh(), web] });

  test("both count a step that they share, and differ at the next one", () => {
    let state = initialState;
    const seen = [tcp(7), udp(9)].map((kind) => {
      const outcome = receivePacket(two, state, { atMs: 0, source: me, kind });
      state = outcome.state;
      return outcome.reactions;
    });
    expect(seen).toEqual([
      [
        { gate: "ssh", kind: "step", taken: 1, expired: 0 },
        { gate: "web", kind: "step", taken: 1, expired: 0 },
      ],
      [
        { gate: "ssh", kind: "reset", taken: 0, expired: 0 },
        { gate: "web", kind: "opened", taken: 0, expired: 0 },
      ],
    ]);
    expect(isOpen(state, me, "ssh", 0)).toBe(false);
    expect(receivePacket(two, state, { atMs: 0, source: me, kind: tcp(443) }).verdict).toBe("accepted");
    expect(receivePacket(two, state, { atMs: 0, source: me, kind: tcp(22) }).verdict).toBe("dropped");
  });
});

test("a state never changes: a test can continue from an earlier one again", () => {
  const { state } = send(policy(), [tcp(7), udp(8)]);
  const finish = () => receivePacket(policy(), state, { atMs: 0, source: me, kind: echo(9) });
  expect(finish()).toEqual(finish());
  expect(isOpen(state, me, "ssh", 0)).toBe(false);
});
