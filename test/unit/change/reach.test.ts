import { setTimeout as pause } from "node:timers/promises";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { makePurse } from "../../../src/change/purse";
import { type Dialing, dial, reachHost } from "../../../src/change/reach";
import { type ErrorCode, KnockgateError } from "../../../src/errors";
import type { KnockStep } from "../../../src/knock/packet";
import { parsePolicy } from "../../../src/policy/parse";
import type { Policy } from "../../../src/policy/policy";
import { portOf, type Step } from "../../../src/policy/step";
import type { HostConnection, Route } from "../../../src/ssh/host";

const dialing: Dialing = {
  host: "edge.test",
  port: 22,
  purse: makePurse(() => 1_800_000_000_000),
  perDialTimeoutMs: 15_000,
  errorLimit: 0,
};
const connection: HostConnection = {
  run: () => Promise.reject(new Error("not here")),
  close: () => undefined,
};

function makePolicy(step: number, port = "22"): Policy {
  const gate = { name: "ssh", protect: [{ tcp: port }], knock: { steps: [{ tcp: step }] } };
  const reading = parsePolicy({ name: "edge", gates: [gate] });
  if (reading.kind === "wrong") throw new Error("wrong");
  return reading.policy;
}

function nameStep(step: KnockStep): string {
  return step.kind === "token" ? "token" : `${portOf(step as Step)}`;
}

/** A route that takes notes. Each dial takes the next answer of the list, and later dials the last one. */
function makeRoute(name: string, notes: string[], answers: readonly ("opens" | ErrorCode | Error)[]): Route {
  let dials = 0;
  return {
    name,
    knock: async (steps) => {
      notes.push(`${name} knocks ${steps.map(nameStep).join()}`);
    },
    connect: async (timeoutMs) => {
      const answer = answers[Math.min(dials++, answers.length - 1)];
      notes.push(`${name} dials ${timeoutMs}`);
      if (answer === "opens") return connection;
      throw answer instanceof Error ? answer : new KnockgateError(answer ?? "UNREACHABLE", "no");
    },
    probePort: () => Promise.reject(new Error("not here")),
  };
}

/** Tries to reach a host. Returns the notes and the error. */
async function reach(
  answers: readonly (readonly ("opens" | ErrorCode | Error)[])[],
  options: { policies?: readonly Policy[]; isGated?: boolean; dialing?: Partial<Dialing> } = {},
) {
  const notes: string[] = [];
  const routes = answers.map((list, index) => makeRoute(`r${index + 1}`, notes, list));
  const { policies = [makePolicy(7_001), makePolicy(7_002)], isGated = true } = options;
  const reaching = reachHost(routes, policies, isGated, { ...dialing, ...options.dialing });
  const result = await reaching.then(
    (reached) => ({ route: reached.route.name, error: undefined }),
    (error: unknown) => ({ route: undefined, error }),
  );
  return { notes, ...result };
}

vi.mock("node:timers/promises", () => ({ setTimeout: vi.fn(async () => undefined) }));
beforeEach(() => {
  vi.mocked(pause).mockClear();
});

describe("reaching a host", () => {
  test("through a gate: tries the likeliest knock, then the other ones, then none; only the last try is patient", async () => {
    const { notes } = await reach([["UNREACHABLE"]]);
    expect(notes).toEqual([
      "r1 knocks 7001",
      "r1 dials 4000",
      "r1 knocks 7002",
      "r1 dials 4000",
      "r1 knocks ",
      "r1 dials 15000",
    ]);
  });

  test("that has no gate yet: tries without a knock first", async () => {
    const { notes } = await reach([["UNREACHABLE"]], { isGated: false, policies: [makePolicy(7_001)] });
    expect(notes).toEqual(["r1 knocks ", "r1 dials 4000", "r1 knocks 7001", "r1 dials 15000"]);
  });

  test("ends with the first way that opens", async () => {
    const { notes, route } = await reach([["UNREACHABLE", "opens"]]);
    expect(route).toBe("r1");
    expect(notes).toHaveLength(4);
  });

  test("sends a knock that two policies share only once, and none when no gate protects SSH", async () => {
    const same = await reach([["UNREACHABLE"]], { policies: [makePolicy(7_001), makePolicy(7_001)] });
    expect(same.notes).toEqual(["r1 knocks 7001", "r1 dials 4000", "r1 knocks ", "r1 dials 15000"]);
    const web = await reach([["UNREACHABLE"]], { policies: [makePolicy(7_001, "443")] });
    expect(web.notes).toEqual(["r1 knocks ", "r1 dials 15000"]);
  });

  test("takes the gate of the SSH port that the connection names", async () => {
    const { notes } = await reach([["UNREACHABLE"]], {
      policies: [makePolicy(7_001, "2000-3000")],
      dialing: { port: 2_222 },
    });
    expect(notes[0]).toBe("r1 knocks 7001");
  });

  test("goes on to the next address, with knock and connection on the same way", async () => {
    const { notes, route } = await reach([["UNREACHABLE"], ["opens"]], { policies: [makePolicy(7_001)] });
    expect(route).toBe("r2");
    expect(notes.slice(-2)).toEqual(["r2 knocks 7001", "r2 dials 4000"]);
  });

  test.each([
    [0, 1],
    [1, 2],
    [3, 4],
  ])("with a dialErrorLimit of %d gives up after %d rounds", async (errorLimit, rounds) => {
    const { notes, error } = await reach([["UNREACHABLE"], ["UNREACHABLE"]], { dialing: { errorLimit } });
    expect(notes.filter((note) => note.startsWith("r2 knocks 7001"))).toHaveLength(rounds);
    expect(pause).toHaveBeenCalledTimes(rounds - 1);
    expect(error).toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringMatching(
        /^r1, r2: no SSH connection was made with or without a knock\. The last try: no/,
      ),
      cause: expect.objectContaining({ code: "UNREACHABLE" }),
    });
  });

  test("with a dialErrorLimit of -1 never gives up, and pauses longer and longer, but never for long", async () => {
    const answers = [...Array.from({ length: 30 }, () => "UNREACHABLE" as const), "opens" as const];
    expect((await reach([answers], { dialing: { errorLimit: -1 } })).route).toBe("r1");
    const pauses = vi.mocked(pause).mock.calls.map(([ms]) => ms);
    expect(pauses).toEqual([1_000, 2_000, 3_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000]);
  });

  test("with a perDialTimeout of 0 waits without a limit, but only in the last try", async () => {
    const { notes } = await reach([["UNREACHABLE"]], { dialing: { perDialTimeoutMs: 0 } });
    expect(notes.filter((note) => note.includes("dials"))).toEqual([
      "r1 dials 4000",
      "r1 dials 4000",
      "r1 dials 0",
    ]);
  });

  test("with a perDialTimeout below its own patience keeps to that", async () => {
    const { notes } = await reach([["UNREACHABLE"]], { dialing: { perDialTimeoutMs: 1_000 } });
    expect(notes.filter((note) => note.includes("dials"))).toEqual(Array(3).fill("r1 dials 1000"));
  });

  test.each(["HOST_KEY_MISMATCH", "LOGIN_REFUSED", "NOT_ALLOWED", "ARGUMENTS_INVALID"] as const)(
    "stops at once at %s, because another try could not help",
    async (code) => {
      const { notes, error } = await reach([[code], ["opens"]], { dialing: { errorLimit: 10 } });
      expect(error).toMatchObject({ code });
      expect(notes).toHaveLength(2);
    },
  );

  test("when told to, retries a refused login as often as a dial, with pauses that let no penalty add up", async () => {
    const lines: string[] = [];
    const { notes, error } = await reach([["LOGIN_REFUSED"]], {
      isGated: false,
      policies: [],
      dialing: { errorLimit: 2, forgivesRefusal: true, log: (line) => lines.push(line) },
    });
    expect(error).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(notes.filter((note) => note.includes("dials"))).toHaveLength(3);
    expect(vi.mocked(pause).mock.calls.map(([ms]) => ms)).toEqual([6_000, 6_000]);
    expect(lines).toEqual([
      "try 1 of 3 failed: no (a new machine may get its keys later); the next in 6 s, for at most 42 s more",
      "try 2 of 3 failed: no (a new machine may get its keys later); the next in 6 s, for at most 21 s more",
    ]);
  });

  test("says what each failed round tried, its number and the pause before the next, without a port", async () => {
    const lines: string[] = [];
    await reach([["UNREACHABLE"], ["UNREACHABLE"]], {
      dialing: { errorLimit: 1, log: (line) => lines.push(line) },
    });
    const tried =
      "with the most likely knock: no; with another knock that it may expect (2 of 2): no; without a knock: no";
    expect(lines).toEqual([
      `try 1 of 2 failed: no SSH connection was made: ${tried}; ${tried}; the next in 1 s, for at most 47 s more`,
    ]);
  });

  test("goes on to the next address at once where nothing listens: no gate is in the way there", async () => {
    const refusal = new KnockgateError("UNREACHABLE", "refused", {
      cause: Object.assign(new Error("no"), { code: "ECONNREFUSED" }),
    });
    const { notes, route } = await reach([[refusal], ["opens"]]);
    expect(route).toBe("r2");
    expect(notes).toEqual(["r1 knocks 7001", "r1 dials 4000", "r2 knocks 7001", "r2 dials 4000"]);
  });

  test("stops at once at an unknown error", async () => {
    const defect = new Error("a defect");
    expect((await reach([[defect], ["opens"]])).error).toBe(defect);
  });

  test("tells how long the handshake took, without the knock", async () => {
    const route = makeRoute("r1", [], ["opens"]);
    const slow = { ...route, knock: () => new Promise<void>((resolve) => setTimeout(resolve, 400)) };
    expect((await dial(slow, [], 1_000)).dialMs).toBeLessThan(300);
  });
});
