import { describe, expect, test } from "vitest";
import { loadCommands } from "../../../src/cli/commands";
import type { Command } from "../../../src/cli/framework/command";
import { paint } from "../../../src/cli/framework/paint";
import { readInvocation } from "../../../src/cli/framework/read-invocation";
import { play } from "./play";

const sample: Command = {
  name: "sample",
  summary: "A sample",
  description: [],
  arguments: [
    { name: "HOST", about: "A host." },
    { name: "PORT", about: "A port.", isOptional: true },
  ],
  options: [
    { name: "step", short: "s", value: "STEP", isRepeated: true, about: "A step." },
    { name: "format", value: "FORMAT", choices: ["text", "sarif"], about: "The format." },
    { name: "verbose", short: "v", about: "More." },
  ],
  examples: [],
  run: async () => ({ exitCode: 0, text: "", json: undefined }),
};

describe("a command line", () => {
  test("is read in any order, with short options and values behind an equals sign", () => {
    const invocation = readInvocation(sample, [
      "-v",
      "edge",
      "-s",
      "tcp:1",
      "--step=udp:2",
      "--format",
      "text",
      "22",
    ]);
    expect(invocation.arguments).toEqual(["edge", "22"]);
    expect(invocation.values("step")).toEqual(["tcp:1", "udp:2"]);
    expect(invocation.value("format")).toBe("text");
    expect([invocation.has("verbose"), invocation.has("json"), invocation.has("step")]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test.each([
    [["--wrong", "edge"], "there is no option --wrong"],
    [["edge", "--wrong=7411"], "there is no option --wrong"],
    [["edge", "--step"], "--step needs a value; one that begins with a dash is written --option=-value"],
    [["edge", "--verbose=7411"], "--verbose takes no value"],
    [["edge", "--format", "7411"], "--format must be one of text, sarif"],
    [[], "HOST is missing"],
    [["edge", "22", "7411"], "sample takes 2 arguments at most"],
  ])("%j is refused without its values", (words, message) => {
    expect(() => readInvocation(sample, words)).toThrow(new Error(message));
  });
});

describe("knockgate", () => {
  test("lists its commands when it gets no words", async () => {
    const { exitCode, out } = await play([]);
    expect(exitCode).toBe(0);
    for (const { name, summary } of await loadCommands()) {
      expect(out).toContain(`  ${name} `);
      expect(out.replaceAll(/\n +/g, " ")).toContain(summary);
    }
    expect(await play(["help"])).toMatchObject({ out });
  });

  test("has help for each command, by an option and by a word, whatever else stands there", async () => {
    for (const { name, options, examples } of await loadCommands()) {
      const { exitCode, out } = await play([...name.split(" "), "--help"]);
      expect(exitCode).toBe(0);
      expect(out).toContain(`Usage: knockgate ${name}`);
      for (const option of options) expect(out).toContain(`--${option.name}`);
      for (const { line } of examples) expect(out).toContain(line);
      expect(await play(["help", ...name.split(" ")])).toMatchObject({ out });
    }
  });

  test("refuses an unknown command, without the numbers in it", async () => {
    const wrong = await play(["knok"]);
    expect(wrong).toMatchObject({ exitCode: 2, out: "" });
    expect(wrong.err).toBe(
      "knockgate: there is no command knok; knockgate --help lists all commands [USAGE]\n",
    );
    expect((await play(["tcp:7411"])).err).not.toContain("7411");
  });

  test("says an error as JSON when it was asked for JSON", async () => {
    const { err, exitCode } = await play(["completion", "--json"]);
    expect([exitCode, JSON.parse(err)]).toEqual([
      2,
      { error: { code: "USAGE", message: "SHELL is missing" } },
    ]);
  });

  test("says what the system refused, and of a fault of its own only the place", async () => {
    const refused = await play(["profile", "list"], { environment: { XDG_CONFIG_HOME: __filename } });
    expect([refused.exitCode, refused.err]).toEqual([
      3,
      `knockgate: ${__filename}/knockgate/profiles: scandir failed (ENOTDIR) [SYSTEM]\n`,
    ]);
    const environment = new Proxy<Record<string, string>>(
      {},
      {
        get: () => {
          throw new TypeError("47411");
        },
      },
    );
    const broken = await play(["profile", "list"], { environment });
    expect([broken.exitCode, broken.err]).toEqual([
      3,
      expect.stringMatching(/^knockgate: a fault in knockgate itself \(TypeError.*\) \[INTERNAL\]\n$/),
    ]);
    expect(broken.err).not.toContain("47411");
  });

  test("says its version", async () => {
    expect((await play(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("colours between a sequence that begins and one that ends", () => {
    expect(paint("red", "no")).toBe("\x1b[31mno\x1b[0m");
  });
});
