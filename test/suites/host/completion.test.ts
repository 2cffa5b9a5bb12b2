import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";

const main = join(__dirname, "..", "..", "..", "dist", "cli", "main.js");

let directory: string;
let policy: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "knockgate-completion-"));
  policy = join(directory, "policy.yaml");
  writeFileSync(policy, "name: edge");
  const profiles = join(directory, "knockgate", "profiles");
  mkdirSync(profiles, { recursive: true });
  for (const name of ["edge", "edge6", "inner"]) writeFileSync(join(profiles, `${name}.json`), "{}");
  const program = join(directory, "knockgate-program");
  mkdirSync(program);
  const launch = `#!/bin/sh\nXDG_CONFIG_HOME=${directory} exec ${process.execPath} ${main} "$@"\n`;
  writeFileSync(join(program, "knockgate"), launch);
  chmodSync(join(program, "knockgate"), 0o755);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a shell that finds knockgate, but no files of its user. */
async function run(words: readonly string[]): Promise<string> {
  const path = `${join(directory, "knockgate-program")}:/usr/bin:/bin`;
  const { stdout } = await runCommand(["env", "-i", `PATH=${path}`, `HOME=${directory}`, ...words]);
  return stdout;
}

/** Writes the completion script of a shell into a file. */
async function writeScript(shell: string): Promise<string> {
  const file = join(directory, `completion.${shell}`);
  writeFileSync(file, await run(["knockgate", "completion", shell]));
  return file;
}

test("bash completes commands, options, profiles, choices and files", async () => {
  const program = [
    `. ${await writeScript("bash")}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's own
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _knockgate; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  const complete = async (...words: string[]): Promise<readonly string[]> =>
    (await run(["bash", "-c", program, "bash", "knockgate", ...words])).trim().split("\n");
  expect(await complete("pro")).toEqual(["proxy", "profile"]);
  expect(await complete("profile", "")).toEqual(["add", "list", "remove", "export"]);
  expect(await complete("knock", "ed")).toEqual(["edge", "edge6"]);
  expect(await complete("knock", "edge", "--ve")).toEqual(["--verbose"]);
  expect(await complete("completion", "z")).toEqual(["zsh"]);
  expect(await complete("lint", policy.slice(0, -3))).toEqual([policy]);
});

test("fish completes them and describes each", async () => {
  const script = await writeScript("fish");
  const complete = async (line: string): Promise<readonly string[]> => {
    const words = ["fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, script, line];
    return (await run(words)).trim().split("\n");
  };
  expect(await complete("knockgate knock ed")).toEqual(["edge", "edge6"]);
  expect(await complete("knockgate profile ")).toEqual([
    expect.stringMatching(/^add\tKeep /),
    expect.stringMatching(/^export\tPrint /),
    expect.stringMatching(/^list\tList /),
    expect.stringMatching(/^remove\tRemove /),
  ]);
  expect(await complete("knockgate knock edge --ve")).toEqual([expect.stringMatching(/^--verbose\tSay /)]);
  expect(await complete("knockgate completion z")).toEqual(["zsh"]);
  expect(await complete(`knockgate lint ${policy.slice(0, -3)}`)).toEqual([policy]);
});

test("zsh completes them at a terminal", async () => {
  const typed = [
    "knockgate prox",
    "knockgate profile ex",
    "knockgate knock inn",
    "knockgate knock edge --ve",
    "knockgate completion z",
    `knockgate lint ${policy.slice(0, -3)}`,
  ];
  const completed = join(directory, "completed");
  // A key binding completes the line, and writes it to a file instead of running it.
  const report = `report() { zle complete-word; print -r -- "$BUFFER" >>${completed}; BUFFER= }`;
  const program = [
    "zmodload zsh/zpty && zpty shell 'zsh -f -i'",
    `zpty -w shell 'autoload -Uz compinit && compinit -u -D; source ${await writeScript("zsh")}'`,
    `zpty -w shell '${report}; zle -N report; bindkey "^T" report'`,
    "for line; do zpty -w -n shell \"$line\"$'\\x14'; done",
    "zpty -w shell exit",
    "while zpty -r shell said; do :; done",
  ].join("\n");
  await run(["zsh", "-f", "-c", program, "zsh", ...typed]);
  expect(
    readFileSync(completed, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.trimEnd()),
  ).toEqual([
    "knockgate proxy",
    "knockgate profile export",
    "knockgate knock inner",
    "knockgate knock edge --verbose",
    "knockgate completion zsh",
    `knockgate lint ${policy}`,
  ]);
});
