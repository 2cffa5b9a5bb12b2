import { describe, expect, test } from "vitest";
import { KnockgateError } from "../../../../src/errors";
import type { KnockStep } from "../../../../src/knock/packet";
import { dialInRound, limitRoundMs } from "../../../../src/ssh/jump-host/hop-knocker";

const silence = new KnockgateError("UNREACHABLE", "bastion.test: no answer within 4 s");

/** What opens a machine: steps with ports from 1 on. */
function makeKnocker(tries: number) {
  const noted: number[] = [];
  let sent = 0;
  const next = (): readonly KnockStep[] => {
    sent += 1;
    return [{ kind: "tcp", port: sent }];
  };
  return { noted, knocker: { tries, next, succeed: () => noted.push(sent) } };
}

/** Plays a round whose dials end as said, one after another. */
async function play(tries: number, ends: readonly (Error | "open")[], timeoutMs = 15_000) {
  const { noted, knocker } = makeKnocker(tries);
  const dials: (readonly [unknown, number])[] = [];
  const result = await dialInRound(knocker, timeoutMs, async ([step], limitMs) => {
    const end = ends[dials.length];
    dials.push([step !== undefined && "port" in step && step.port, limitMs]);
    if (end !== "open") throw end;
    return end;
  }).catch((error: unknown) => error);
  return { result, dials, noted };
}

describe("a round of dials to a machine that is gated", () => {
  test("is one dial, with all of its time, where another knock would be the same", async () => {
    expect(await play(1, ["open"])).toEqual({ result: "open", dials: [[1, 15_000]], noted: [1] });
    expect(await play(1, [silence])).toEqual({ result: silence, dials: [[1, 15_000]], noted: [] });
  });

  test("sends another token while nothing answers, and notes the one that opened", async () => {
    const dials = [
      [1, 4_000],
      [2, 4_000],
      [3, 15_000],
    ];
    expect(await play(3, [silence, "open"])).toEqual({
      result: "open",
      dials: dials.slice(0, 2),
      noted: [2],
    });
    expect(await play(3, [silence, silence, "open"])).toEqual({ result: "open", dials, noted: [3] });
    expect(await play(3, [silence, silence, silence])).toEqual({ result: silence, dials, noted: [] });
  });

  test.each([
    ["a login that is refused", new KnockgateError("LOGIN_REFUSED", "it took no key")],
    ["another host key", new KnockgateError("HOST_KEY_MISMATCH", "it is another machine")],
    [
      "a refused connection",
      new KnockgateError("UNREACHABLE", "nothing listens", {
        cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
      }),
    ],
    ["a slip of ours", new TypeError("a slip")],
  ])("ends with %s: no other token is sent", async (_what, error) => {
    expect(await play(4, [error])).toEqual({ result: error, dials: [[1, 4_000]], noted: [] });
  });

  test.each([
    [1, 15_000, 15_000],
    [4, 15_000, 27_000],
    [4, 2_000, 8_000],
    [4, 0, 0],
  ])("of %i tries with %i ms for a dial takes at most %i ms", (tries, timeoutMs, limitMs) => {
    expect(limitRoundMs(makeKnocker(tries).knocker, timeoutMs)).toBe(limitMs);
  });

  test("has no limit for its last dial where a dial has none", async () => {
    expect((await play(2, [silence, "open"], 0)).dials).toEqual([
      [1, 4_000],
      [2, 0],
    ]);
  });
});

test("a machine without a known gate is dialled once, without a knock", async () => {
  const dials: unknown[] = [];
  await dialInRound(undefined, 15_000, async (...dial) => dials.push(dial));
  expect(dials).toEqual([[[], 15_000]]);
  expect(limitRoundMs(undefined, 15_000)).toBe(15_000);
});
