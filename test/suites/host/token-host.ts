import { randomUUID } from "node:crypto";
import type { CommandResult } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { sendKnock } from "../../../lab/packets";
import { nameOnHost } from "../../../src/backends/backends";
import { planLoad } from "../../../src/backends/load";
import { writeTokenSource } from "../../../src/backends/nftables/token-source";
import { lowerForBackend, renderPolicy } from "../../../src/backends/render";
import type { Observed } from "../../../src/host/observed";
import { observeHost } from "../../../src/host/script/observe";
import { commandProgram, stageProgram } from "../../../src/host/script/program";
import { digestText } from "../../../src/policy/digest";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import { tokenOf } from "../../../src/policy/token";
import type { HostConnection, Program } from "../../../src/ssh/host";
import { readPolicy } from "../../unit/policy/read-policy";
import { claimHost, waitUntil } from "./deployment";
import { writeProgram } from "./write-program";

/** The shells of hosts. `npm test` tries busybox only in `token-script.test.ts`, where tokens are computed. */
export const shells =
  process.env["KNOCKGATE_DEEP"] === undefined ? (["dash"] as const) : (["dash", "busybox"] as const);

export const tokenHost = "edge.example.org";
const tokenPort = 62_201;
export const ada = { name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" };
export const ben = { name: "ben", key: "Zx8Lw3Qe1Rt6Yu9Io2Pa5Sd7Fg0Hj4Kl_Zc-VbNmAqW" };
/** Long slots, so that a host makes few tokens: 24 to the horizon. */
export const slotSeconds = 3_600;
export const horizonSlots = 24;

export function declareTokens(more: Partial<PolicyInput> = {}): Policy {
  const knock = { token: { udp: tokenPort } };
  return readPolicy({
    name: "edge",
    users: [ada],
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock, openForSeconds: 5 }],
    tokens: { slotSeconds, horizonDays: 1, graceSeconds: 120 },
    acceptRisks: ["window-too-short"],
    ...more,
  });
}

/** Runs a program as root by the host's own sh. */
function runProgram(host: LabHost, program: Program, check = true): Promise<CommandResult> {
  return host.run(["sh", "-s", "192.0.2.1 1 192.0.2.2 22"], {
    stdin: writeProgram(program),
    check,
    timeoutMs: 60_000,
  });
}

export function command(host: LabHost, words: readonly string[], check = true): Promise<CommandResult> {
  return runProgram(host, commandProgram(words), check);
}

export function observe(host: LabHost, policy: Policy): Promise<Observed> {
  const connection = { run: (program: Program) => runProgram(host, program, false) };
  return observeHost(connection as unknown as HostConnection, policy);
}

interface LoadOptions {
  /** Whether the table is replaced though a refill would do. */
  readonly isReplaced?: boolean;
  readonly undoAfter?: number;
  /** The host's name for tokens. */
  readonly host?: string;
  /** Policies whose place it takes. */
  readonly replaces?: readonly string[];
}

/** Stages and arms a policy as a deployer does. Returns the change's id. */
export async function stageAndArm(
  host: LabHost,
  policy: Policy,
  { isReplaced = false, undoAfter = 100, host: name = tokenHost, replaces = [] }: LoadOptions = {},
): Promise<string> {
  const id = randomUUID();
  const text = renderPolicy(policy);
  const { loaded } = await observe(host, policy);
  const plan = planLoad(policy, isReplaced ? undefined : loaded, "192.0.2.1");
  const tokens = writeTokenSource(lowerForBackend(policy), name, policy.tokens);
  const files = {
    ruleset: text,
    load: plan.text,
    owner: "me",
    backend: nameOnHost(policy),
    tokens,
    replaces,
    undoAfterSeconds: undoAfter,
  };
  await runProgram(host, stageProgram(policy.name, id, digestText(text), files));
  await command(host, ["arm", policy.name, id]);
  return id;
}

export async function load(host: LabHost, policy: Policy, options?: LoadOptions): Promise<string> {
  const id = await stageAndArm(host, policy, options);
  await command(host, ["load", policy.name, id]);
  return id;
}

export async function deploy(host: LabHost, policy: Policy, options?: LoadOptions): Promise<string> {
  const id = await load(host, policy, options);
  await command(host, ["confirm", policy.name, id]);
  return id;
}

/** The slots of which a host's kernel has a user's tokens. Checks that the set of all tokens agrees. */
export async function listSlots(host: LabHost, policy: Policy, user = ada.name): Promise<readonly number[]> {
  const { tokenSets } = lowerForBackend(policy);
  const own = tokenSets.find(({ owner }) => owner?.user === user);
  if (own?.owner === undefined) throw new Error(`no tokens of ${user}`);
  const { key, gate } = own.owner;
  const all = await listTokens(host, policy, tokenSets[0]?.name ?? "");
  const now = Math.floor((await readClock(host)) / slotSeconds);
  const slots = new Map(
    Array.from({ length: 20 * horizonSlots }, (_, index) => {
      const slot = now - 10 * horizonSlots + index;
      return [tokenOf(key, { policy: policy.name, gate, host: tokenHost, slot }), slot];
    }),
  );
  const listed = await listTokens(host, policy, own.name);
  return listed
    .map((token) => {
      const slot = slots.get(token);
      if (slot === undefined) throw new Error(`${own.name} has a token of no slot`);
      if (!all.includes(token)) throw new Error(`the set of all tokens lacks slot ${slot}`);
      return slot;
    })
    .sort((one, other) => one - other);
}

export async function listTokens(host: LabHost, policy: Policy, set: string): Promise<readonly string[]> {
  const { stdout } = await host.run(["nft", "list", "set", "inet", `knockgate_${policy.name}`, set]);
  // An old nft lists numbers.
  const listed = [...stdout.matchAll(/(0x[0-9a-f]+|\d+) timeout/g)].map(([, token = ""]) => token);
  return listed.map((token) => BigInt(token).toString(16).padStart(32, "0"));
}

/** Opens the door by the token of a slot, and waits until it is spent. */
export async function spend(host: LabHost, policy: Policy, slot: number, user = ada): Promise<void> {
  await sendSlot(host, policy, slot, user);
  await waitUntil("the token was spent", 5_000, async () => {
    return !(await listSlots(host, policy, user.name)).includes(slot);
  });
}

/** Sends the token of a slot. */
export async function sendSlot(host: LabHost, policy: Policy, slot: number, user = ada): Promise<void> {
  const payload = tokenOf(user.key, { policy: policy.name, gate: "ssh", host: tokenHost, slot });
  await sendKnock("outside", { to: host.ipv4, steps: [{ udp: tokenPort, payload }] });
}

/** Lets time pass on a host: its clock and its time since boot go on, but no timeout in the kernel. */
export async function passTime(host: LabHost, seconds: number): Promise<void> {
  const ahead = Number((await host.run(["cat", "/root/ahead"])).stdout);
  await setClock(host, ahead + seconds);
  const filled = "/var/lib/knockgate/edge/filled";
  const { stdout } = await host.run(["cat", filled]);
  const moved = stdout.replace(/^clock (\d+)/, (_all, base: string) => `clock ${Number(base) + seconds}`);
  await host.run(["sh", "-c", `cat >${filled}`], { stdin: moved });
}

/** Gives a host a clock of its own, which {@link setClock} moves. Timeouts in the kernel go on as before. */
async function giveClock(host: LabHost): Promise<void> {
  const script = ["#!/bin/sh", 'exec /bin/date -d "@$(($(/bin/date +%s) + $(cat /root/ahead)))" "$@"'].join(
    "\n",
  );
  await host.run(["sh", "-c", "cat >/usr/local/sbin/date; chmod 755 /usr/local/sbin/date"], {
    stdin: `${script}\n`,
  });
  await host.run(["sh", "-c", "echo unset EPOCHSECONDS >/root/without-clock"]);
  await setClock(host, 0);
}

/**
 * With this environment, bash takes the time from the clock of {@link giveClock}, too. The first line keeps a bash that no
 * shell has started from reading another file.
 */
export const byClock = ["SHLVL=2", "BASH_ENV=/root/without-clock"] as const;

/** A machine with a clock of its own whose root logs in by the lab's key. */
export async function claimClient(lab: Lab): Promise<LabHost> {
  const client = claimHost(lab);
  const key = "mkdir -m 0700 /root/.ssh && umask 077 && cat >/root/.ssh/id_ed25519";
  await client.run(["sh", "-c", key], { stdin: lab.privateKey });
  await giveClock(client);
  return client;
}

/** Sets a host's clock so many seconds ahead of this machine's. */
export async function setClock(host: LabHost, seconds: number): Promise<void> {
  await host.run(["sh", "-c", "cat >/root/ahead"], { stdin: `${Math.round(seconds)}\n` });
}

export async function readClock(host: LabHost): Promise<number> {
  return Number((await host.run(["date", "+%s"])).stdout);
}

export function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A host with a clock of its own. Its slot began 10 minutes ago, so that none ends during a test. Returns the slot. */
export async function claimClocked(lab: Lab): Promise<[LabHost, number]> {
  const host = claimHost(lab);
  await giveClock(host);
  const clock = await readClock(host);
  const now = Math.floor(clock / slotSeconds);
  await setClock(host, now * slotSeconds + 600 - clock);
  return [host, now];
}

/**
 * A host with a policy. Two of its tokens are spent: that of the current slot, and a later one. Returns the current slot,
 * and those that are left.
 */
export async function claimSpentHost(
  lab: Lab,
  policy: Policy,
): Promise<[LabHost, number, readonly number[]]> {
  const [host, now] = await claimClocked(lab);
  await deploy(host, policy);
  await spend(host, policy, now);
  await spend(host, policy, now + 3);
  return [host, now, range(now, now + horizonSlots).filter((slot) => slot !== now && slot !== now + 3)];
}
