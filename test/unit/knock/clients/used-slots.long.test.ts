import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { supplyTokens } from "../../../../src/cli/gate/token-supply";
import type { ClientTokens } from "../../../../src/knock/clients/client-knock";
import { writeTokenClient } from "../../../../src/knock/clients/token-client";
import { nameSlotList } from "../../../../src/knock/clients/used-slots";
import { tokenOf } from "../../../../src/policy/token";
import { listen, type Receiver } from "../receiver";
import { adasTokens } from "./adas-tokens";
import { makeHome, writeTool } from "./home";
import { shells, withoutClock } from "./shells";

const slot = 29_940_000;

let receiver: Receiver;
let home: string;
beforeEach(async () => {
  receiver = await listen();
  home = makeHome();
  setSlot(slot);
});
afterEach(() => {
  receiver.close();
  rmSync(home, { recursive: true });
});

/** Sets the time that the shells' `date` says. */
function setSlot(to: number): void {
  writeTool(home, "date", `echo ${to * 60}`);
}

const list = (config = join(home, ".config")) =>
  join(config, "knockgate", "used-slots", nameSlotList(makeTokens()));

function makeTokens(): ClientTokens {
  return { ...adasTokens, carrier: { kind: "udp", port: receiver.port } };
}

/** Runs the program of a shell that sends one token. */
async function runShell(
  [, [command = "", ...words], dialect]: (typeof shells)[number],
  environment: Readonly<Record<string, string>> = { HOME: home },
  cwd = home,
): Promise<string> {
  const PATH = `${join(home, "bin")}:${process.env["PATH"]}`;
  const child = spawn(command, [...words, "-s", "--", "127.0.0.1"], {
    env: { ...environment, ...withoutClock, PATH },
    cwd,
  });
  child.stdin.end(writeTokenClient(makeTokens(), "127.0.0.1", undefined, dialect));
  const said = await Promise.all([text(child.stdout), text(child.stderr)]);
  return said.join("");
}

/** Takes the next token as the command line does, and tells how far its slot is from the current one. */
async function takeByNode(): Promise<number | undefined> {
  const supply = supplyTokens(makeTokens(), { environment: { HOME: home } }, () => slot * 60_000);
  const [step] = (await supply.next("127.0.0.1")) ?? [];
  return step?.kind === "token" ? slotOf(step.token) : undefined;
}

function slotOf(token: string): number {
  const { key, ...purpose } = makeTokens();
  return Array.from({ length: 50 }, (_, far) => far).findIndex(
    (far) => tokenOf(key, { ...purpose, slot: slot + far }) === token,
  );
}

async function received(count: number): Promise<readonly number[]> {
  return (await receiver.take(count)).map(slotOf);
}

describe.each(shells)("the slots that %s has used", (...shell) => {
  test("are those that the command line leaves out, and the other way round", async () => {
    expect(await takeByNode()).toBe(0);
    expect(await runShell(shell)).toBe("");
    expect(await takeByNode()).toBe(2);
    expect(await runShell(shell)).toBe("");
    expect(await received(2)).toEqual([1, 3]);
  });

  test("are of one process each, however many run at once", async () => {
    const [, ...byNode] = await Promise.all([
      Promise.all(Array.from({ length: 8 }, () => runShell(shell))),
      ...Array.from({ length: 8 }, takeByNode),
    ]);
    const all = [...byNode, ...(await received(8))].map(Number);
    expect(all.sort((one, other) => one - other)).toEqual([...Array(16).keys()]);
  }, 60_000);

  test("are forgotten once they are past, and nothing else is", async () => {
    mkdirSync(list(), { recursive: true });
    const names = [`${slot - 4}`, `${slot - 3}`, `begins-${slot + 9}`, "x y"];
    for (const name of names) writeFileSync(join(list(), name), "");
    await runShell(shell);
    expect(readdirSync(list()).sort()).toEqual([...names.slice(1), `${slot}`].sort());
    expect(await received(1)).toEqual([0]);
  });

  test("are below XDG_CONFIG_HOME if that is an absolute path, in a folder that only the user can read", async () => {
    await runShell(shell, { HOME: home, XDG_CONFIG_HOME: join(home, "xdg") });
    await runShell(shell, { HOME: home, XDG_CONFIG_HOME: "xdg" });
    expect(readdirSync(list(join(home, "xdg")))).toEqual([`${slot}`]);
    expect(readdirSync(list())).toEqual([`${slot}`]);
    expect(statSync(list()).mode & 0o777).toBe(0o700);
  });

  test("are kept nowhere without a home folder, or where nothing can be written", async () => {
    const here = mkdtempSync(join(home, "here-"));
    writeFileSync(join(here, "1"), "");
    expect(await runShell(shell, {}, here)).toBe("");
    writeFileSync(join(home, "file"), "");
    expect(await runShell(shell, { HOME: join(home, "file") }, here)).toBe("");
    expect(await received(2)).toEqual([0, 0]);
    expect(readdirSync(here)).toEqual(["1"]);
    expect(existsSync("/.config/knockgate")).toBe(false);
  });
});
