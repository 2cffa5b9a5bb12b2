import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { supplyTokens } from "../../../../src/cli/gate/token-supply";
import type { ClientTokens } from "../../../../src/knock/clients/client-knock";
import { tokenOf } from "../../../../src/policy/token";
import { adasTokens } from "../../knock/clients/adas-tokens";

const slot = 29_940_000;
const beyond = 7 * 1_440 + 1;
const tokens = adasTokens;

let home: string;
let environment: Record<string, string>;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "knockgate-cli-"));
  environment = { XDG_CONFIG_HOME: home };
});
afterEach(() => rmSync(home, { recursive: true }));
const folder = () => join(home, "knockgate", "used-slots");

/** The slots in the one list that there is. */
function listKept(): readonly number[] {
  const [list = ""] = readdirSync(folder());
  return readdirSync(join(folder(), list)).map(Number).sort();
}

function supply(at = slot, more: Partial<ClientTokens> = {}) {
  return supplyTokens({ ...tokens, ...more }, { environment }, () => at * 60_000);
}

/** The slots of the next tokens, as far from the current one. `undefined`: nothing is left. */
async function take(from: ReturnType<typeof supply>, count: number, address = "192.0.2.7") {
  const found: (number | undefined)[] = [];
  for (let index = 0; index < count; index += 1) {
    const [step] = (await from.next(address)) ?? [];
    found.push(step === undefined ? undefined : findSlot(step));
  }
  return found;
}

const candidates = [
  ...Array(12).keys(),
  ...[1, 2, 3].flatMap((k) => [0, 1, 2, 3].map((more) => k * beyond + more)),
];
const { policy, gate, host, key } = tokens;
const byToken = new Map(
  candidates.map((far) => [tokenOf(key, { policy, gate, host, slot: slot + far }), far]),
);

function findSlot(step: object): number | undefined {
  expect(step).toMatchObject({ kind: "token", carrier: tokens.carrier, use: "open" });
  return "token" in step ? byToken.get(`${step.token}`) : undefined;
}

describe("tokens for tries", () => {
  test("are those of the slots that every client tries, and then there are none", async () => {
    const one = supply();
    expect(one.tries).toBe(9);
    expect(await take(one, 10)).toEqual([0, 1, beyond, 2, 3, 4, 5, 2 * beyond, 3 * beyond, undefined]);
  });

  test("are others for each connection, also at the same time", async () => {
    const [one, two, three] = [supply(), supply(), supply()];
    expect([await take(one, 1), await take(two, 1), await take(one, 1), await take(three, 1)]).toEqual([
      [0],
      [1],
      [2],
      [3],
    ]);
    expect(await take(two, 2)).toEqual([4, beyond]);
    expect(await take(one, 1)).toEqual([beyond + 1]);
    const many = await Promise.all([supply(), supply(), supply()].map((it) => take(it, 1)));
    expect(many.flat().sort()).toEqual([5, 6, 7]);
  });

  test("go on in their order when another connection finds a host that has lost its tokens", async () => {
    const [one, two] = [supply(), supply()];
    expect(await take(one, 2)).toEqual([0, 1]);
    expect(await take(two, 3)).toEqual([2, 3, beyond]);
    await two.finish(true);
    expect(await take(one, 2)).toEqual([beyond + 1, 4]);
  });

  test("are others for each process", async () => {
    writeFileSync(
      join(home, "take.ts"),
      `import { openSlotList } from ${JSON.stringify(join(__dirname, "../../../../src/cli/profiles/used-slots"))};
       void (async () => {
         const list = openSlotList(process.env, "o", 0);
         const taken: number[] = [];
         for (let slot = 0; taken.length < 20; slot += 1) if (await list.take(slot)) taken.push(slot);
         process.send?.(taken);
       })();`,
    );
    const runs = [1, 2, 3].map(() =>
      fork(join(home, "take.ts"), { env: { ...process.env, ...environment }, execArgv: ["--import", "tsx"] }),
    );
    const taken = (await Promise.all(runs.map((run) => once(run, "message")))).flatMap(
      ([slots]) => slots as number[],
    );
    expect(taken.sort((a, b) => a - b)).toEqual([...Array(60).keys()]);
  }, 60_000);

  test("are not lost when they were not sent", async () => {
    const one = supply();
    await take(one, 3);
    await one.giveBack(2);
    expect(await take(supply(), 2)).toEqual([1, 2]);
  });

  test("are one row for each user, gate and host", async () => {
    await take(supply(), 3);
    const [step] = (await supply(slot, { gate: "wg" }).next("192.0.2.7")) ?? [];
    expect(step).toMatchObject({ token: tokenOf(key, { policy, gate: "wg", host, slot }) });
  });

  test("are forgotten once they are past", async () => {
    await take(supply(), 3);
    await take(supply(slot + 2), 0);
    expect(listKept()).toEqual([slot, slot + 1, slot + beyond]);
    await take(supply(slot + 4), 1);
    expect(listKept()).toEqual([slot + 1, slot + 4, slot + beyond]);
  });

  test("leave neither a key, a token nor a name in the list, which only its user can read", async () => {
    await take(supply(), 1);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    const [file = ""] = readdirSync(folder(), { recursive: true, encoding: "utf8" }).slice(-1);
    expect(file).toMatch(new RegExp(`^[0-9a-f]{16}/${slot}$`));
    expect(readFileSync(join(folder(), file), "utf8")).toBe("");
  });

  test("come also where the list holds other files", async () => {
    await take(supply(), 1);
    const [list = ""] = readdirSync(folder());
    for (const name of ["begins-", "begins-x", "begins-1e12", "-1", "1e9", `${slot + 1}.draft`])
      writeFileSync(join(folder(), list, name), "");
    mkdirSync(join(folder(), list, `${slot + 2}`));
    expect(await take(supply(), 2)).toEqual([1, 3]);
  });

  test("begin behind the furthest one that opened, if two connections found another", async () => {
    await take(supply(), 1);
    const [list = ""] = readdirSync(folder());
    for (const far of [beyond, 3, 2 * beyond, 4])
      writeFileSync(join(folder(), list, `begins-${slot + far}`), "");
    const one = supply();
    expect(await take(one, 2)).toEqual([2 * beyond + 1, 1]);
    await one.finish(true);
    expect(await take(supply(), 2)).toEqual([2, 3]);
  });

  test("come also where nothing can be kept", async () => {
    writeFileSync(join(home, "file"), "");
    environment = { XDG_CONFIG_HOME: join(home, "file") };
    expect(await take(supply(), 3)).toEqual([0, 1, beyond]);
  });
});

describe("what was wrong", () => {
  test.each([
    [1, []],
    [2, ["an earlier token was lost or used by another client, or your clock is behind by about 3 minutes"]],
    [4, ["your clock is behind by about 4 minutes"]],
    [7, ["your clock is behind by about 7 minutes"]],
    [
      3,
      [
        "your clock is behind, or the host has lost its tokens (a reboot?) and takes tokens from 2026-12-11 16:01 UTC on, or from some time before",
      ],
    ],
  ])("is told when token %i opens", async (count, remarks) => {
    const one = supply();
    await take(one, count);
    expect(await one.finish(true)).toEqual(remarks);
  });

  test("is nothing when only another address was tried before", async () => {
    const one = supply();
    await take(one, 1, "2001:db8::7");
    await take(one, 1);
    expect(await one.finish(true)).toEqual([]);
  });

  test("is a list of likely causes when no token opens", async () => {
    const one = supply();
    await take(one, 9);
    const [first, ...causes] = await one.finish(false);
    expect(first).toBe(
      "no token was taken: 9 tokens were sent for user ada at host edge.example.org. Likely causes:",
    );
    expect(causes.join("\n")).toMatch(/clock.*another key.*do not arrive/s);
  });

  test("is remembered: after a loss, the next connection begins where the host does", async () => {
    const one = supply();
    await take(one, 3);
    await one.finish(true);
    expect(await take(supply(), 2)).toEqual([beyond + 1, 2]);
    const two = supply();
    await take(two, 2);
    await two.finish(true);
    expect(await take(supply(), 1)).toEqual([4]);
  });
});
