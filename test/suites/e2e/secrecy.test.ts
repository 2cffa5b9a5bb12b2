import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startCommand } from "../../../lab/command";
import { openLab } from "../../../lab/lab";
import { openStack } from "../../../lab/stack";
import { unseal } from "../../../src/pulumi/ruleset/sealed";
import {
  type Declared,
  failingProgram,
  knockNumbers,
  knocks,
  listFailures,
  listFindings,
  passwords,
  prepareLab,
  type SecretiveLab,
  workingProgram,
} from "./secretive";
import { findSecrets, findSecretsBelow, splitKey } from "./secrets";

/** A secret, as the engine exports it: JSON within a string. */
type Held = { readonly sealed?: { readonly plaintext: string } } | undefined;

interface Exported {
  readonly inputs?: Held;
  readonly outputs?: Held;
}

vi.setConfig({ testTimeout: 180_000 });

let place: SecretiveLab;
let working: Stack;
const declared: Declared = { steps: knocks.near, note: "first" };
/** All that the engine printed, wrote to its log or sent as events so far. */
let printed = "";
/** The arguments and environments of all processes, those of the hosts as well. */
let processes = "";
let sampler: ReturnType<typeof startCommand> | undefined;
let secrets: readonly string[] = [];

const hear = (text: string) => (printed += text);
const listen = { onOutput: hear, onError: hear, color: "never" } as const;
/** The highest log level without secrets; lower levels say less. Also `--debug`. */
const loud = {
  ...listen,
  onEvent: (event: EngineEvent) => hear(`${JSON.stringify(event)}\n`),
  debug: true,
  logFlow: true,
  logToStdErr: true,
  logVerbosity: 8,
} as const;

beforeAll(async () => {
  const lab = await openLab({ hosts: 4 });
  place = await prepareLab(lab);
  working = await openStack(join(lab.directory, "working"), workingProgram(place, declared));
  const keys = [lab.privateKey, place.encryptedKey].flatMap(splitKey);
  secrets = [...knockNumbers, ...Object.values(passwords).flatMap((each) => each.split("\n")), ...keys];
  sampler = startCommand([
    "sh",
    "-c",
    "while sleep 0.1; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; done",
  ]);
  sampler.stdout.setEncoding("latin1").on("data", (text: string) => {
    processes += text;
  });
});
afterAll(async () => {
  sampler?.kill();
  await place?.lab.close();
});

test.each([
  ["in base64 after one more byte", Buffer.from("xpa/ss+wo rd&%=1?").toString("base64")],
  ["in base64 after two more bytes", Buffer.from("xxpa/ss+wo rd&%=1? and more").toString("base64url")],
  ["in hex", Buffer.from(passwords.login).toString("hex").toUpperCase()],
  ["in a URL's path", encodeURIComponent(passwords.login)],
  ["in a form", new URLSearchParams({ q: passwords.login }).toString()],
  ["in JSON as Go writes it, within JSON", '{"a":"{\\"b\\":\\"pa/ss+wo rd\\\\u0026%=1?\\"}"}'],
])("a secret is found %s", (_how, text) => {
  expect(findSecrets(text, [passwords.login, passwords.sudo])).toEqual([passwords.login]);
});

test.each([
  ["knock.steps[0].17411: is not known", true],
  ["steps.tcp:17411", true],
  ["took 0.17411 s", false],
  ["aB+17411/x=", false],
])("a port is found in %j: %s", (text, isThere) => {
  expect(findSecrets(text, ["17411"])).toEqual(isThere ? ["17411"] : []);
});

/** All texts of the engine's failure, with its causes and traces. */
async function fail(running: Promise<unknown>, failures: ReturnType<typeof listFailures>): Promise<void> {
  const failure = await running.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  const said = inspect(failure, { depth: null, showHidden: true, maxStringLength: null });
  for (const [name, [, pattern]] of Object.entries(failures)) expect(pattern.test(said), name).toBe(true);
  expect(findSecrets(said, secrets)).toEqual([]);
}

test("a preview that fails in some ways says what is wrong, and no secret", async () => {
  for (const findings of listFindings(place)) {
    const stack = await openStack(join(place.lab.directory, "failing"), failingProgram(findings));
    await fail(stack.preview(loud), findings);
  }
});

test("an up that fails in some ways says what is wrong, and no secret", async () => {
  const failures = listFailures(place);
  const stack = await openStack(join(place.lab.directory, "failing"), failingProgram(failures));
  const eaten = await place.lab.swallow({ to: place.other, protocol: "udp", port: 19_888 });
  await fail(stack.up({ ...loud, continueOnError: true }), failures);
  await eaten.restore();
});

test("up, refresh with drift, preview --diff, update and destroy succeed with every kind of secret", async () => {
  await working.up(loud);
  await place.near.run(["nft", "flush", "chain", "inet", "knockgate_edge", "ssh_door"]);
  await working.refresh(loud);
  declared.steps = knocks.later;
  declared.note = "second";
  const previewed = await working.preview({ ...loud, diff: true });
  expect(previewed.stdout).toMatch(/udp dport <ssh-1:[0-9a-f]{6}>/);
  await working.up(loud);
});

test("what the state holds only for the program is secret as well", async () => {
  const { deployment } = await working.exportStack();
  const { resources }: { readonly resources: readonly Exported[] } = deployment;
  const sealed = resources.flatMap(({ inputs, outputs }) =>
    [inputs, outputs].flatMap((held) => (held?.sealed === undefined ? [] : [held.sealed.plaintext])),
  );
  const texts = sealed.map((plaintext): string => JSON.parse(plaintext));
  const found = texts.flatMap((text) => {
    const { digest, redactionKey = "" } = unseal(text) ?? {};
    return digest === undefined ? [redactionKey] : [digest, redactionKey];
  });
  // The digest and the labels' key of each gate, and all of it as the state has it.
  expect(new Set(found.map((text) => text.length))).toEqual(new Set([32, 64]));
  secrets = [...new Set([...secrets, ...texts, ...found])];
  expect([new Set(texts).size, new Set(found).size]).toEqual([4, 4]);
});

test("outputs are shown without their secrets", async () => {
  const { workspace, name } = working;
  const show = ["stack", "output", "--json", "--stack", name];
  const { stdout } = await promisify(execFile)("pulumi", show, {
    cwd: workspace.workDir,
    env: { ...process.env, ...workspace.envVars },
  });
  const { ruleset, ...others } = JSON.parse(stdout);
  expect(ruleset).toContain("table inet knockgate_edge");
  const names = ["digest", "knock", "profile", "farKnock"];
  const masked = Object.fromEntries(names.map((each) => [each, "[secret]"]));
  expect(others).toEqual({ ...masked, far: { profile: "[secret]" } });
  // A profile says how to log in, but holds no key and no password.
  const { profile, far } = await working.outputs();
  const shown = JSON.stringify([profile?.value, far?.value]);
  const inClear = findSecrets(shown, secrets);
  expect(inClear).toContain("27422");
  expect(inClear.filter((secret) => !knockNumbers.includes(secret))).toEqual([]);
  hear(stdout);
});

test("the engine's log from -v=9 on, its traces and its record of calls hold secrets: docs/secrets.md warns of them", async () => {
  let log = "";
  const [trace, calls] = ["trace", "calls"].map((name) => join(place.lab.directory, name)) as [
    string,
    string,
  ];
  vi.stubEnv("PULUMI_DEBUG_GRPC", calls);
  const onError = (text: string) => (log += text);
  await working.preview({ ...loud, onError, logVerbosity: 9, tracing: `file:${trace}` });
  vi.unstubAllEnvs();
  const texts = [log, await readFile(trace, "latin1"), await readFile(calls, "utf8")];
  for (const text of texts) expect(findSecrets(text, ["27422", passwords.passphrase])).toHaveLength(2);
});

test("destroy with the program succeeds", async () => {
  await working.destroy({ ...loud, runProgram: true });
});

test("no secret was printed or logged up to -v=8", () => {
  // Samples of the engine's log, of the provider's output and of the events: without them nothing was recorded.
  for (const heard of ['"v":8', "6/6 confirm", '"resourcePreEvent"'])
    expect(printed.includes(heard)).toBe(true);
  expect(findSecrets(printed, secrets)).toEqual([]);
});

test("no secret stands in a state, its backups or its history", async () => {
  for (const name of ["working", "failing"]) {
    expect(await findSecretsBelow(join(place.lab.directory, name, "backend"), secrets)).toEqual([]);
  }
});

test("no process had a secret in its arguments or its environment", () => {
  for (const seen of ["dynamic-provider", "--logtostderr", "PULUMI_CONFIG_PASSPHRASE"])
    expect(processes).toContain(seen);
  expect(findSecrets(processes, secrets)).toEqual([]);
});
