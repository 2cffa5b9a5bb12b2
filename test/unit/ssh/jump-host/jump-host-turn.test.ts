import { setImmediate as settle } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ConnectionInput, connectionSchema } from "../../../../src/ssh/connection";
import { type Connecting, takeBastionTurns } from "../../../../src/ssh/jump-host/jump-host-turn";
import { fillConnection } from "../../../../src/ssh/resolve";

let made = 0;
/** The name of a machine that no other test has used. */
const makeName = () => `machine-${++made}.test`;
const parse = (input: ConnectionInput) => fillConnection(connectionSchema.parse(input));
const through = (bastion: string, more: Partial<ConnectionInput["proxy"]> = {}): Connecting => ({
  connection: parse({ host: makeName(), proxy: { host: bastion, ...more } }),
});

/** Starts operations that run until they are told to end. */
function begin(count: number, makeWays: (index: number) => Connecting) {
  const running = new Map<number, () => void>();
  const all = Array.from({ length: count }, (_, index) =>
    takeBastionTurns(makeWays(index), () => {
      return new Promise<number>((resolve) => {
        running.set(index, () => {
          running.delete(index);
          resolve(index);
        });
      });
    }),
  );
  return { running, all: Promise.all(all) };
}

describe("the turns at a bastion", () => {
  beforeEach(() => vi.stubEnv("KNOCKGATE_BASTION_LIMIT", undefined));
  afterEach(() => vi.unstubAllEnvs());

  test("let eight operations run at once, and the next one when one has ended", async () => {
    const bastion = makeName();
    const { running, all } = begin(20, () => through(bastion));
    for (let ended = 0; ended < 20; ended += 1) {
      await settle();
      expect([...running.keys()]).toEqual(
        Array.from({ length: Math.min(8, 20 - ended) }, (_, index) => ended + index),
      );
      running.get(ended)?.();
    }
    await all;
  });

  test.each([
    ["users", (name: string, index: number) => through(name, { user: `user${index}` }), 8],
    ["capitals", (name: string, index: number) => through(index < 6 ? name : name.toUpperCase()), 8],
    ["ports", (name: string, index: number) => through(name, { port: 2_000 + index }), 12],
    ["bastions", () => through(makeName()), 12],
    ["hosts without a bastion", () => ({ connection: parse({ host: makeName() }) }), 12],
  ])("count by server: different %s", async (_what, makeWays, most) => {
    const bastion = makeName();
    const { running, all } = begin(12, (index) => makeWays(bastion, index));
    await settle();
    expect(running.size).toBe(most);
    while (running.size > 0) {
      for (const end of running.values()) end();
      await settle();
    }
    await all;
  });

  test("are taken once by an operation that needs a bastion for the host and to prove from", async () => {
    const bastion = makeName();
    const { running, all } = begin(9, () => ({
      ...through(bastion),
      proveFrom: parse({ host: bastion, proxy: { host: bastion } }),
    }));
    await settle();
    expect(running.size).toBe(8);
    while (running.size > 0) {
      for (const end of running.values()) end();
      await settle();
    }
    await all;
  });

  test("never let two operations wait for each other, in whatever order they need two machines", async () => {
    vi.stubEnv("KNOCKGATE_BASTION_LIMIT", "1");
    const [one, other] = [makeName(), makeName()];
    const ways = (bastion: string, prober: string): Connecting => {
      return { ...through(bastion), proveFrom: parse({ host: prober }) };
    };
    const { running, all } = begin(6, (index) => (index % 2 === 0 ? ways(one, other) : ways(other, one)));
    await settle();
    for (let ended = 0; ended < 6; ended += 1) {
      expect(running.size).toBe(1);
      for (const end of running.values()) end();
      await settle();
    }
    await all;
  });

  test("end with an operation that failed", async () => {
    vi.stubEnv("KNOCKGATE_BASTION_LIMIT", "1");
    const bastion = makeName();
    const fail = () => Promise.reject(new Error("no way"));
    await expect(takeBastionTurns(through(bastion), fail)).rejects.toThrow("no way");
    expect(await takeBastionTurns(through(bastion), async () => "its turn")).toBe("its turn");
  });

  test.each(["0", "-1", "many", "2.5"])("refuse a limit of %s", async (limit) => {
    vi.stubEnv("KNOCKGATE_BASTION_LIMIT", limit);
    const act = async () => "acted";
    await expect(takeBastionTurns(through(makeName()), act)).rejects.toMatchObject({
      code: "ARGUMENTS_INVALID",
    });
  });
});
