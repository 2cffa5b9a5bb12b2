import { describe, expect, test } from "vitest";
import { proveClosed } from "../../../../src/change/prove/prove-closed";
import { makePurse } from "../../../../src/change/purse";
import type { PortAnswer } from "../../../../src/knock/packet";
import type { Counts } from "../../../../src/policy/counts";
import type { Route } from "../../../../src/ssh/host";
import { makePolicy } from "../../../suites/host/policies";

const policy = makePolicy();

const dropped = (packets: number): Counts => new Map([["ssh", { accepted: 0, dropped: packets }]]);

/** Plays one try. The counts are returned in turn. The port gives `answer` when `letAnswer` is called. */
function play(counts: readonly (Counts | undefined)[], answer: PortAnswer = "silent") {
  const events: string[] = [];
  const lines: string[] = [];
  let letAnswer: () => void = () => undefined;
  const left = counts.values();
  const unused = () => Promise.reject(new Error("not here"));
  const route: Route = {
    name: "edge.test:22",
    knock: unused,
    connect: unused,
    probePort: () =>
      new Promise((resolve) => {
        events.push("probe");
        letAnswer = () => {
          events.push(answer);
          resolve(answer);
        };
      }),
  };
  const proven = proveClosed(policy, {
    route,
    prober: route,
    others: [],
    cutOff: [],
    hostAddresses: [],
    hasTime: () => true,
    findSource: unused,
    host: "edge.test",
    purse: makePurse(() => 0),
    sshPort: 22,
    clientAddress: "192.0.2.9",
    dialMs: 1,
    counted: dropped(0),
    countPackets: async () => {
      events.push("count");
      const { value, done } = left.next();
      if (done) throw new Error("one count too many");
      return value;
    },
    log: (line) => lines.push(line),
  });
  return { events, lines, proven, letAnswer: () => letAnswer() };
}

describe("the proof that a gate is closed", () => {
  test("counts while it waits for the silence, and waits for it all the same", async () => {
    const { events, lines, proven, letAnswer } = play([dropped(1)]);
    await new Promise(setImmediate);
    expect([events, lines]).toEqual([["probe", "count"], []]);
    letAnswer();
    await proven;
    expect(events).toEqual(["probe", "count", "silent"]);
    expect(lines).toEqual([expect.stringContaining("its own counter saw the packets dropped")]);
  });

  test("counts again after the silence when the packet came later than the first count", async () => {
    const { events, lines, proven, letAnswer } = play([dropped(0), dropped(1)]);
    await new Promise(setImmediate);
    letAnswer();
    await proven;
    expect(events).toEqual(["probe", "count", "silent", "count"]);
    expect(lines).toEqual([expect.stringContaining("its own counter saw the packets dropped")]);
  });

  test("does not take a count for a silence: somebody else's packet may have been dropped", async () => {
    const { proven, letAnswer } = play([dropped(1)], "open");
    await new Promise(setImmediate);
    letAnswer();
    await expect(proven).rejects.toMatchObject({
      code: "NOT_CONFIRMED",
      message: expect.stringContaining("answers before the knock (open)"),
    });
  });

  test("asks just once where the counters can't be read", async () => {
    const { events, lines, proven, letAnswer } = play([undefined]);
    await new Promise(setImmediate);
    letAnswer();
    await proven;
    expect(events).toEqual(["probe", "count", "silent"]);
    expect(lines).toEqual([expect.stringContaining("TCP port 22 before the knock")]);
  });
});
