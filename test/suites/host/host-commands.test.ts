import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { type Packets, sendKnock, tryConnect } from "../../../lab/packets";
import type { StepInput } from "../../../src/policy/step";
import { readPolicy } from "../../unit/policy/read-policy";
import { claimHost, connectionTo, openDeployment } from "./deployment";
import { confirmedFiles, listFiles } from "./inspection";
import { leavePending } from "./pending";
import { addUser } from "./users";

const main = join(__dirname, "..", "..", "..", "dist", "cli", "main.js");
const [oldSteps, newSteps] = [
  [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }],
  [{ tcp: 41_101 }, { udp: 52_102 }, { tcp: 33_104 }],
];
const declare = (steps: readonly StepInput[], more: object = {}) => ({
  name: "edge",
  // Short, so that each test finds the door closed again.
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps] }, openForSeconds: 1 }],
  acceptRisks: ["window-too-short"],
  ...more,
});
const secrets = /47001|58002|39003|41101|52102|33104|PRIVATE KEY/;

let lab: Lab;
const file = (name: string) => join(lab.directory, name);

beforeAll(async () => {
  lab = await openLab({ hosts: 5 });
  writeFileSync(file("key"), lab.privateKey, { mode: 0o600 });
  writeFileSync(file("old.json"), JSON.stringify(declare(oldSteps)));
  writeFileSync(file("new.json"), JSON.stringify(declare(newSteps)));
});
afterAll(() => lab?.close());

/**
 * Runs the program as a process with a home of its own, which holds the hosts' keys. Checks that the output holds no
 * secret.
 */
async function knockgate(words: readonly string[], environment: readonly string[] = []) {
  const home = [`HOME=${lab.directory}`, `XDG_CONFIG_HOME=${lab.directory}`, "SSH_AUTH_SOCK="];
  const done = await runCommand(["env", ...home, ...environment, process.execPath, main, ...words], {
    check: false,
  });
  expect(done.stdout + done.stderr).not.toMatch(secrets);
  return done;
}

/** A file for --connection. */
function writeConnection(host: LabHost, more: object = {}): string {
  const path = file(`${host.ipv4}.json`);
  writeFileSync(path, JSON.stringify(connectionTo(lab, host, more)), { mode: 0o600 });
  chmodSync(path, 0o600);
  return path;
}

const isOpenFor = async (host: LabHost, steps: Packets["steps"]): Promise<boolean> => {
  await expect.poll(() => tryConnect("outside", host.ipv4, 22, 400), { timeout: 10_000 }).toBe("silent");
  await sendKnock("outside", { to: host.ipv4, steps });
  return (await tryConnect("outside", host.ipv4, 22, 1_000)) === "open";
};

test("a policy is planned, applied, changed, looked at and removed without Pulumi", async () => {
  const host = claimHost(lab);
  const connection = ["--connection", writeConnection(host)];
  const plan = await knockgate(["plan", file("old.json"), ...connection]);
  expect([plan.code, plan.stdout]).toEqual([1, expect.stringContaining("+table inet knockgate_edge {")]);
  expect(await listFiles(host)).toEqual([]);

  const applied = await knockgate(["apply", file("old.json"), ...connection, "--profile", "edge"]);
  expect([applied.code, applied.stdout]).toEqual([
    0,
    expect.stringMatching(
      /^edge on .*: the host has confirmed the policy; its knock is kept in .*edge\.json\n$/,
    ),
  ]);
  expect(applied.stderr.split("\n").flatMap((line) => /: (\d)\/6 /.exec(line)?.[1] ?? [])).toEqual([
    ..."12345556",
  ]);
  expect(await listFiles(host)).toEqual(confirmedFiles);
  expect(await isOpenFor(host, oldSteps)).toBe(true);

  // From now on only by the profile, through the gate, with the user's own key.
  const edge = ["edge", "-i", file("key")];
  expect((await knockgate(["plan", file("old.json"), ...edge])).code).toBe(0);
  const changed = await knockgate(["apply", file("new.json"), ...edge]);
  expect([changed.code, changed.stderr]).toEqual([0, expect.stringContaining("open doors stay open")]);
  expect(await isOpenFor(host, oldSteps)).toBe(false);
  expect(await isOpenFor(host, newSteps)).toBe(true);

  const status = await knockgate(["status", file("new.json"), ...edge]);
  expect([status.code, status.stdout]).toEqual([
    0,
    expect.stringMatching(
      /the host has what the policy says\n.*gate ssh: \d+ accepted, \d+ dropped, \d+ opened/,
    ),
  ]);
  await host.run([
    "nft",
    "add",
    "rule",
    "inet",
    "knockgate_edge",
    "input",
    "tcp",
    "dport",
    "41101",
    "accept",
  ]);
  const drifted = await knockgate(["status", file("new.json"), ...edge]);
  expect([drifted.code, drifted.stdout]).toEqual([
    1,
    expect.stringMatching(/drift: changed outside: chain input: \+ tcp dport <secret> accept/),
  ]);
  const removed = await knockgate(["remove", file("new.json"), ...edge]);
  expect(removed.code).toBe(0);
  expect(removed.stdout).toMatch(/: the gate is removed, and nothing else\n$/);
  expect(await listFiles(host)).toEqual([]);
  expect(await tryConnect("outside", host.ipv4, 22, 1_000)).toBe("open");
});

test("a change whose deployer is gone is undone at once", async () => {
  const host = claimHost(lab);
  const [old, next] = [readPolicy(declare(oldSteps)), readPolicy(declare(newSteps))];
  const connection = ["--connection", writeConnection(host)];
  expect((await knockgate(["apply", file("old.json"), ...connection])).code).toBe(0);
  await leavePending(next, old, 600, await openDeployment(connectionTo(lab, host)));
  const refused = await knockgate(["apply", file("new.json"), ...connection]);
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining("[CHANGE_PENDING]")]);
  const undone = await knockgate(["undo", file("new.json"), ...connection]);
  expect([undone.code, undone.stdout]).toEqual([
    0,
    expect.stringContaining("has put back what it had before"),
  ]);
  expect(await isOpenFor(host, newSteps)).toBe(false);
  expect(await isOpenFor(host, oldSteps)).toBe(true);
  expect(await listFiles(host)).not.toContain("f 0600 /var/lib/knockgate/edge/pending");
});

test("a change that a signal ends says what the host will do", async () => {
  const host = claimHost(lab);
  const words = ["apply", file("old.json"), "--connection", writeConnection(host)];
  const log = file("interrupted.log");
  const program = [
    `SSH_AUTH_SOCK= ${process.execPath} ${main} ${words.join(" ")} 2>${log} & pid=$!`,
    `until grep -q ': 4/6 load: ' ${log}; do sleep 0.01; done`,
    "kill -TERM $pid; wait $pid",
  ];
  expect((await runCommand(["sh", "-c", program.join("\n")], { check: false })).code).toBe(143);
  expect(readFileSync(log, "utf8")).toMatch(
    /\ninterrupted: the host undoes what is not confirmed by itself within 60 s; `knockgate undo` undoes it at once\n$/,
  );
  expect((await knockgate(["undo", ...words.slice(1)])).code).toBe(0);
  expect(await listFiles(host)).toEqual([]);
});

test("on a terminal a change shows how long it has taken and when the host would undo it; sudo's password is asked for", async () => {
  const host = claimHost(lab);
  const password = "quite secret";
  await addUser(host, "careful", { password, sudoers: "careful ALL=(ALL:ALL) ALL" });
  const connection = writeConnection(host, { user: "careful", sudoPassword: "another" });
  const apply = `${process.execPath} ${main} apply ${file("old.json")} --connection ${connection} --ask sudo-password`;
  // Typed only after the prompt: the terminal would echo earlier input.
  const typed = ["sh", "-c", 'sleep 1.5; echo "$1"; sleep 5', "sh", password]
    .map((word) => `'${word}'`)
    .join(" ");
  const command = `SSH_AUTH_SOCK= script -q -e -c '${apply}' /dev/null`;
  const { stdout } = await runCommand(["bash", "-c", `set -o pipefail; ${command} < <(${typed})`]);
  const redrawn = stdout.split("\r\x1b[K");
  expect(redrawn[0]).toMatch(/^sudo password: \r\n/);
  expect(redrawn).toContainEqual(expect.stringMatching(/^[|/\\-] \d+\.\d s; the host undoes it in \d+ s$/));
  expect(redrawn).toContainEqual(expect.stringMatching(/^edge on .*: 6\/6 confirm: .*\r\n$/));
  expect(stdout).toMatch(/: the host has confirmed the policy\r\n$/);
  expect(stdout).not.toMatch(secrets);
  expect(stdout).not.toContain(password);
});

/** A line as the kernel would write it. It writes none for packets in the lab's network namespaces. */
const kernelLine = (gate: string, source: string, to: string, port: number) =>
  `${gate} IN=eth0 OUT= MAC=72:31:30:a7:75:57:ea:d2:cb:94:2b:1f:08:00 SRC=${source} DST=${to} LEN=60 TOS=0x00 PREC=0x00 ` +
  `TTL=63 ID=31277 DF PROTO=TCP SPT=59084 DPT=${port} WINDOW=64240 RES=0x00 SYN URGP=0 \n`;

test("a host's counters and log of real knocks tell why one did not open", async () => {
  const host = claimHost(lab);
  const connection = ["--connection", writeConnection(host)];
  const prefix = `kg${process.pid}`;
  const log = { events: ["opened", "accepted", "dropped", "reset"], prefix };
  writeFileSync(file("logged.json"), JSON.stringify(declare(oldSteps, { log })));
  const source = lab.outside.ipv4;
  const write = (event: string, port: number) =>
    writeFileSync("/dev/kmsg", kernelLine(`${prefix} ssh ${event}`, source, host.ipv4, port));
  const ask = (seconds: string) =>
    knockgate(["simulate", file("logged.json"), ...connection, "--for", seconds]);

  expect((await knockgate(["apply", file("logged.json"), ...connection])).code).toBe(0);
  for (const [event, port] of [["opened", 39_003] as const, ["accepted", 22] as const]) write(event, port);
  const all = await ask("0");
  expect([all.code, all.stdout]).toEqual([
    0,
    expect.stringMatching(
      /counted since the ruleset was loaded:\nssh: \d opened, \d+ accepted, .*\n0 s .* TCP: ssh: the last step came/,
    ),
  ]);

  const asked = ask("4");
  // After the first reading, and before the second.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await sendKnock("outside", { to: host.ipv4, steps: [{ tcp: 47_001 }, { tcp: 47_999 }] });
  await tryConnect("outside", host.ipv4, 22, 300);
  for (const [event, port] of [["reset", 47_999] as const, ["dropped", 22] as const]) write(event, port);
  const { code, stdout, stderr } = await asked;
  expect(stderr).toContain("knock now, from where it does not open; in 4 s the host is read again\n");
  expect([code, stdout.replace(/^0\.\d+ s /m, "0 s ")]).toEqual([
    1,
    [
      `${host.ipv4}:22: counted since the first reading:`,
      "ssh: 0 opened, 0 accepted, 1 dropped, 1 reset: a knock began, and another packet put it back to the start",
      `0 s ${source} TCP: ssh: another packet between two steps: strict puts the source back to the start`,
      `0 s ${source} TCP 22: ssh: dropped at the closed door`,
      `${source} at gate ssh: closed [put-back]: another packet came between two steps, and strict put the source back to the start. Send nothing else to the host during the knock, or set strict to false.`,
      "",
    ].join("\n"),
  ]);
});
