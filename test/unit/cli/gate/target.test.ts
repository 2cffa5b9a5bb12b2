import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command } from "../../../../src/cli/commands/knock/command";
import { readInvocation } from "../../../../src/cli/framework/read-invocation";
import { orderAddresses } from "../../../../src/cli/gate/addresses";
import { readOpening } from "../../../../src/cli/gate/open-gate";
import { readStepWord } from "../../../../src/cli/gate/step-word";
import { findTarget } from "../../../../src/cli/gate/target";
import { readStep } from "../../../../src/policy/step";
import { makeOutputs, secretSteps, secrets } from "../gated";
import { play } from "../play";

const knock = { kind: "sequence", steps: secretSteps.map(readStep) };
const way = { host: "203.0.113.7", port: 22, user: "ops" };
const outputs = {
  edge: makeOutputs("edge", way),
  inner: makeOutputs("inner", { ...way, host: "192.0.2.9" }, "443"),
  twin: makeOutputs("twin", { ...way, host: "192.0.2.9", port: 2_022 }, "2000-2030"),
};

let environment: Record<string, string>;
beforeAll(async () => {
  environment = { XDG_CONFIG_HOME: mkdtempSync(join(tmpdir(), "knockgate-cli-")) };
  await play(["profile", "add", "-"], { environment, input: JSON.stringify(outputs) });
});
afterAll(() => rmSync(environment["XDG_CONFIG_HOME"] ?? "", { recursive: true }));

function find(host: string, port?: number, words: readonly string[] = [], input = "") {
  const invocation = readInvocation(command, [host, ...words]);
  return findTarget(host, port, invocation, { environment, input: Readable.from([Buffer.from(input)]) });
}

describe("what a knock is sent for", () => {
  test.each([
    ["a profile's gate of SSH", "edge", undefined, { gate: "ssh", port: 22, knock }],
    ["the gate of a wanted port", "twin", 2_010, { gate: "ssh", port: 2_010, knock }],
    ["the profile of a host", "203.0.113.7", 22, { gate: "ssh", port: 22, knock }],
    ["the only gate, by its first port", "inner", undefined, { gate: "ssh", port: 443, knock }],
    [
      "a port without a gate",
      "edge",
      80,
      { gate: undefined, port: 80, knock: { kind: "sequence", steps: [] } },
    ],
  ])("is %s", async (_, host, port, target) => {
    expect(await find(host, port)).toMatchObject(target);
  });

  test("is what the command line or a stack's outputs say, without a profile", async () => {
    expect(await find("192.0.2.1", 80, ["-s", "tcp:7000", "-s", "udp:8000/0"])).toEqual({
      way: { host: "192.0.2.1", port: 80, user: "root" },
      gate: undefined,
      port: 80,
      knock: { kind: "sequence", steps: [{ tcp: 7_000 }, { udp: 8_000, udpPayloadBytes: 0 }].map(readStep) },
      isSingle: false,
    });
    const input = JSON.stringify(makeOutputs("new", { ...way, host: "192.0.2.77" }));
    expect(await find("new", undefined, ["--stack"], input)).toMatchObject({ way: { host: "192.0.2.77" } });
    await expect(find("edge", undefined, ["--stack"], input)).rejects.toThrow("the outputs have no profile");
  });

  test.each([
    ["a host of two profiles", "192.0.2.9", [], "is the host of inner, twin"],
    ["a host of none", "192.0.2.1", [], "there is no profile of 192.0.2.1"],
    ["a path", "../profiles/edge", [], "there is no profile of"],
    ["a gate that is none", "edge", ["--gate", "web"], "name one of its gates by --gate: ssh"],
    ["two sources of steps", "edge", ["--stack", "-s", "tcp:47411"], "can't be used together"],
  ])("can't be %s", async (_, host, words, message) => {
    const refused = find(host, undefined, words);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(secrets);
  });
});

test.each([
  "tcp:0",
  "tcp:65536",
  "tcp:47411/1",
  "udp:47411/1233",
  "icmp:1233",
  "sctp:47411",
  "47411",
  "tcp:",
])("%s is not a step, and what was typed is not said again", (word) => {
  expect(() => readStepWord(word, 2)).toThrow(/^step 2 is not a step: write tcp:PORT, [^\d]*$/);
});

test("steps are read at their limits", () => {
  expect(readStepWord("udp:65535/1232", 1)).toEqual({ kind: "udp", port: 65_535, payloadBytes: 1_232 });
  expect(readStepWord("icmp:0", 1)).toEqual({ kind: "icmpEcho", payloadBytes: 0 });
});

test("addresses are tried by alternating families, beginning with the resolver's first", () => {
  const found = ["2001:db8::1", "2001:db8::2", "192.0.2.1", "2001:db8::3", "192.0.2.2"];
  const turns = ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"];
  expect(orderAddresses(found)).toEqual(turns);
  expect(orderAddresses(["192.0.2.1", "2001:db8::1", "192.0.2.1"])).toEqual(["192.0.2.1", "2001:db8::1"]);
  expect(orderAddresses([])).toEqual([]);
});

test.each([
  [["--tries", "0"], "--tries"],
  [["--tries", "many"], "--tries"],
  [["-4", "-6"], "can't be used together"],
])("%j is refused before anything is sent", (words, message) => {
  const invocation = readInvocation(command, ["edge", ...words]);
  expect(() => readOpening(invocation, { note: () => undefined })).toThrow(message);
});

test("a block of ssh_config names the profile and holds no knock", async () => {
  const { out } = await play(["ssh-config", "edge", "--program", "/opt/100%/knockgate"], { environment });
  expect(out.split("\n")).toEqual([
    "Host edge",
    "  HostName 203.0.113.7",
    "  User ops",
    "  Port 22",
    "  ProxyCommand /opt/100%%/knockgate proxy edge %p",
    "",
  ]);
  const all = await play(["ssh-config"], { environment });
  expect([...all.out.matchAll(/^Host (.*)$/gm)].map(([, name]) => name)).toEqual(["edge", "inner", "twin"]);
  expect(all.out).not.toMatch(secrets);
  expect(await play(["ssh-config", "none"], { environment })).toMatchObject({ exitCode: 3, out: "" });
});

test("a standalone script holds the knocks, and a warning says so", async () => {
  const words = ["ssh-config", "--standalone", "edge", "twin", "edge"];
  const { out, notes, exitCode } = await play(words, { environment });
  expect(exitCode).toBe(0);
  expect(out).toMatch(/^#!\/bin\/bash\n# Opens the gates of edge, twin for ssh\./);
  expect(out).toMatch(secrets);
  expect(notes).toEqual([
    expect.stringMatching(/^warning: whoever can read this script can open edge, twin: /),
  ]);
  expect(notes.join()).not.toMatch(secrets);
  const { json } = { json: JSON.parse((await play([...words, "--json"], { environment })).out) };
  expect(json).toEqual({ names: ["edge", "twin"], script: out });
  const both = await play([...words, "--program", "x"], { environment });
  expect([both.exitCode, both.out]).toEqual([2, ""]);
});
