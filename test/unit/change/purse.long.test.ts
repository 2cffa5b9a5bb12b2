import { describe, expect, test } from "vitest";
import { makePurse } from "../../../src/change/purse";
import type { ClientTokens } from "../../../src/knock/clients/client-knock";
import { slotAt, tokenOf } from "../../../src/policy/token";

const nowMs = 1_800_000_000_000;
const settings = { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 };
const tokens: ClientTokens = {
  kind: "tokens",
  carrier: { kind: "udp", port: 62_201 },
  user: "ada",
  key: "a".repeat(43),
  policy: "edge",
  gate: "ssh",
  host: "edge.test",
  settings,
};
const present = slotAt(nowMs, settings.slotSeconds);
const beyond = 7 * 1_440 + 1;

/** The slot of a token, counted from the present one. */
function findSlot(token: string, of: ClientTokens = tokens): number {
  for (let ahead = 0; ahead <= 4 * beyond; ahead += 1)
    if (tokenOf(of.key, { ...of, slot: present + ahead }) === token) return ahead;
  throw new Error("no slot");
}

function take(series: ReturnType<ReturnType<typeof makePurse>["begin"]>, count: number): readonly number[] {
  return Array.from({ length: count }, () => findSlot(series.next("open").token));
}

describe("a purse", () => {
  test("begins with the present slot, jumps ahead of what others may have used, and tries a host that lost its tokens", () => {
    const purse = makePurse(
      () => nowMs,
      () => 0.2,
    );
    expect(take(purse.begin(tokens), 4)).toEqual([0, 14, beyond, 15]);
  });

  test("opens at one of three tries, however many runs used the slots of these minutes", () => {
    const spent = new Set<string>();
    const runs = Array.from({ length: 12 }, () => {
      const purse = makePurse(() => nowMs);
      purse.learn(tokens, { from: (present - 2) * 60 });
      // Each run opens three times, and the host takes each token once.
      return Array.from({ length: 3 }, () => {
        const series = purse.begin(tokens);
        for (let tries = 1; tries <= 3; tries += 1) {
          const { token } = series.next("open");
          if (spent.has(token)) continue;
          spent.add(token);
          series.succeed();
          return true;
        }
        return false;
      });
    });
    // Slot after slot, the fourth run would find nothing left.
    expect(runs.flat().filter((isOpen) => !isOpen).length).toBeLessThan(6);
  });

  test("never hands out a slot twice, whatever series asks", () => {
    const purse = makePurse(() => nowMs);
    const sent = Array.from({ length: 40 }, () => {
      const series = purse.begin(tokens);
      return Array.from({ length: 5 }, () => series.next("open").token);
    });
    expect(new Set(sent.flat()).size).toBe(200);
  });

  test("tries one loss, two and three in as many rounds", () => {
    const purse = makePurse(() => nowMs);
    const fars = Array.from({ length: 3 }, () => take(purse.begin(tokens), 4)[2] ?? 0);
    expect(fars.map((far) => Math.floor(far / beyond))).toEqual([1, 2, 3]);
  });

  test("goes on behind the slot that was taken", () => {
    const purse = makePurse(() => nowMs);
    const series = purse.begin(tokens);
    take(series, 3);
    series.succeed();
    expect(take(purse.begin(tokens), 1)).toEqual([beyond + 1]);
  });

  test.each([
    ["tokens of a later time", { from: (present + 500) * 60 }, [500, 561]],
    ["tokens of now", { from: (present - 2) * 60 }, [0, 61]],
    ["a clock that is ahead", { from: (present - 2) * 60, clock: nowMs / 1_000 + 1_200 }, [20, 81]],
    ["a clock that is behind", { from: (present - 2) * 60, clock: nowMs / 1_000 - 1_200 }, [0, 61]],
  ])("begins there and jumps when the host said that it has %s", (_what, said, slots) => {
    const purse = makePurse(
      () => nowMs,
      () => 0.999,
    );
    purse.learn(tokens, said);
    expect(take(purse.begin(tokens), 2)).toEqual(slots);
  });

  test("keeps an account for each host, gate and key", () => {
    const purse = makePurse(() => nowMs);
    take(purse.begin(tokens), 1);
    for (const other of [{ host: "other.test" }, { gate: "web" }, { key: "b".repeat(43) }]) {
      const own = { ...tokens, ...other };
      expect(findSlot(purse.begin(own).next("open").token, own)).toBe(0);
    }
  });

  test("closes by a token of its own", () => {
    const series = makePurse(() => nowMs).begin(tokens);
    const [opening, closing] = [series.next("open"), series.next("close")];
    expect(closing).toMatchObject({ kind: "token", use: "close", carrier: tokens.carrier });
    expect(closing.token).not.toBe(opening.token);
  });
});
