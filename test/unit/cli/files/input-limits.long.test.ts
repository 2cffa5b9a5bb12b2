import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { play } from "../play";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-input-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
});

function write(name: string, bytes: string | Buffer): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

const gate = (name: string, port: number) => ({
  name,
  protect: [{ tcp: port }],
  knock: { steps: [{ tcp: 41_003 }, { udp: "52114" }, { tcp: 43_225 }] },
});
const policy = { name: "edge", gates: [gate("ssh", 22)] };
const text = JSON.stringify(policy);
const marked = `\uFEFF${text}`;

describe("a file that is read", () => {
  test.each([
    ["UTF-8", Buffer.from(text)],
    ["UTF-8 with a mark", Buffer.from(marked)],
    ["UTF-16, little end first", Buffer.from(marked, "utf16le")],
    ["UTF-16, big end first", Buffer.from(marked, "utf16le").swap16()],
  ])(
    "may be %s, as JSON, YAML and standard input, with ports as numbers and as text",
    async (_what, bytes) => {
      for (const name of ["mark.json", "mark.yaml"]) {
        expect(await play(["lint", write(name, bytes)])).toMatchObject({ out: "errors: 0, warnings: 0\n" });
      }
    },
  );

  test.each([
    ["UTF-16 without a mark", Buffer.from(text, "utf16le"), "it is not UTF-8; if it is UTF-16, it needs"],
    ["Latin-1", Buffer.from("name: k\xe4y\n", "latin1"), "it is not UTF-8"],
    ["more than 8 MiB", Buffer.alloc(9 * 1_024 * 1_024, 32), "it has more than 8 MiB"],
  ])("is named where it is %s", async (_what, bytes, words) => {
    const { exitCode, err } = await play(["lint", write("odd.yaml", bytes)]);
    expect(err).toContain(words);
    expect(exitCode).toBe(3);
  });

  test.each([
    ["deep.json", "[".repeat(100_000) + "]".repeat(100_000)],
    ["deep.yaml", "{a: ".repeat(5_000) + "}".repeat(5_000)],
    ["block.yaml", Array.from({ length: 300 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join("")],
    ["list.yaml", "- ".repeat(5_000)],
  ])("is refused where it is nested too deeply: %s", async (name, bytes) => {
    const { err } = await play(["lint", write(name, bytes)]);
    expect(err).toMatch(/it is nested more than 64 levels deep \[ARGUMENTS_INVALID\]/);
  });

  test("is refused as a profile where it is nested too deeply", async () => {
    const { err } = await play(["profile", "add", "-"], { input: "[".repeat(50_000) + "]".repeat(50_000) });
    expect(err).toMatch(/nested more than 64 levels deep \[ARGUMENTS_INVALID\]/);
  });

  test("may not have a key twice, at any depth", async () => {
    const { err } = await play([
      "lint",
      write("twice.yaml", "name: edge\ngates: [{name: a, name: 17411}]\n"),
    ]);
    expect(err).toMatch(/twice\.yaml:2: it is not valid YAML \(DUPLICATE_KEY\)/);
  });
});

describe("what is written without a space after its colon", () => {
  const write3 = (steps: string) =>
    `name: edge\ngates:\n- name: ssh\n  protect: [{tcp: 22}]\n  knock:\n    steps: ${steps}\n`;
  test.each([
    ["[{tcp:17411}, {udp:18522}]"],
    ["[{tcp:17411, udp:18522}]"],
    ["[{{tcp: 17411}}, {{udp: 18522}}]"],
    ["{tcp:17411: {udp:18522: 1}}"],
    ["[tcp:17411, udp:18522]"],
    ['["17411", "18522x"]'],
    ["[{tcp: 17411x}, {udp: [18522]}]"],
    ["[{tcp: 17411, tcp: 18522}]"],
    ["[{tcp: 17411}, *18522]"],
    ["[{tcp: 17411}, !18522 {}, &17411 {}]"],
    ["[{tcp: 17411}, @18522]"],
  ])("is never quoted, in text, JSON or SARIF: %s", async (steps) => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const logged = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const file = write("colon.yaml", write3(steps));
    for (const words of [
      ["lint", file],
      ["lint", "--format", "sarif", file],
      ["lint", "--json", file],
      ["render", file],
    ]) {
      const { exitCode, out, err } = await play(words);
      expect(exitCode).toBeGreaterThan(0);
      expect(`${out}${err}${warned.mock.calls}${logged.mock.calls}`).not.toMatch(/17411|18522/);
    }
  });

  test("is not quoted as an option either", async () => {
    for (const word of ["--tcp:17411", "--17411", "--step-17411=1"])
      expect((await play(["lint", "x.yaml", word])).err).not.toContain("17411");
    expect((await play(["lint", "x.yaml", "--formt=x"])).err).toContain("there is no option --formt");
  });
});

test("a printed value has no control characters, starts no new line and reverses no text", async () => {
  const risk = "x\x1b[2J\x9b31m\r\nerror: fake\u202Egnp\u2028";
  const file = write("odd.json", JSON.stringify({ ...policy, acceptRisks: [risk] }));
  for (const words of [
    ["lint", file],
    ["lint", file, "--json"],
    ["lint", file, "--format", "sarif"],
    ["render", file],
  ]) {
    const { out, err } = await play(words);
    expect(out + err).toContain("\\u001b[2J\\u009b31m");
    expect(out + err).toContain("\\u202egnp");
    expect(out + err).not.toMatch(/[\p{Cf}\p{Zl}]|^error: fake/mu);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
    expect(out + err).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  }
});

describe("where there is no home folder", () => {
  const nobody = () => {
    vi.spyOn(os, "homedir").mockImplementation(() => {
      throw new Error("ENOENT: no such file or directory, uv_os_homedir");
    });
    vi.stubEnv("HOME", "");
  };
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test("there are no profiles, and an error says that none can be kept", async () => {
    nobody();
    expect(await play(["profile", "list"])).toMatchObject({ exitCode: 0 });
    expect((await play(["knock", "edge.test"])).err).toContain("no profile of edge.test");
    const way = { host: "edge.test", port: 22, user: "ops" };
    const added = await play(["profile", "add", "-"], {
      input: JSON.stringify({ name: "edge", way, gates: [] }),
    });
    expect(added.err).toMatch(/no home folder to keep a profile in: set HOME or XDG_CONFIG_HOME \[ARGUMENTS/);
  });
});

describe("a group of commands", () => {
  test.each([
    [["profile", "--help"]],
    [["profile", "-h"]],
    [["profile"]],
    [["help", "profile"]],
    [["--help", "profile"]],
  ])("says its commands: %j", async (words) => {
    const { exitCode, out, err } = await play(words);
    expect([exitCode, err]).toEqual([0, ""]);
    for (const name of ["add", "list", "remove", "export"]) expect(out).toContain(`profile ${name}`);
    expect(out).not.toContain("simulate");
  });

  test("still refuses a command that does not exist", async () => {
    expect((await play(["profile", "nonsense"])).exitCode).toBe(2);
    expect((await play(["profile", "add", "--help"])).out).toContain("Usage: knockgate profile add");
  });
});

test("a policy may have 20,000 unknown fields, and is read within seconds, with one finding about them", async () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1]));
  const { out } = await play(["lint", "-"], { input: JSON.stringify({ ...policy, ...many }) });
  expect(out).toMatch(/policy: has 20000 fields that are not known/);
  expect(out).toMatch(/^errors: 1, /m);
});

// There are more findings, one for each pair of gates, than a call can have arguments.
test("a policy may have hundreds of gates with one knock", { timeout: 60_000 }, async () => {
  const gates = Array.from({ length: 500 }, (_, index) => gate(`g${index}`, 1_000 + index));
  const { exitCode, err } = await play(["lint", "-"], { input: JSON.stringify({ ...policy, gates }) });
  expect([exitCode, err]).toEqual([0, ""]);
});
