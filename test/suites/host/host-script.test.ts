import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { hostScript, writtenScript } from "../../../src/host/script/host-script";
import { commandProgram, confirmProgram, probeProgram, stageProgram } from "../../../src/host/script/program";
import type { Program } from "../../../src/ssh/host";
import { frameProgram } from "../../../src/ssh/root";

const files = {
  ruleset: "table inet knockgate_edge {\n}\n",
  load: "flush ruleset\n",
  owner: "it's me",
  backend: "nftables",
} as const;
const frame = ({ functions = "", commands }: Program) => frameProgram(functions, commands, "mark");
const programs = [
  ["the script as it is written", `${writtenScript}main "$@"\n`],
  ["a command", frame(commandProgram(["undo", "edge", "1-2", "nobody's fault"]))],
  ["a probe", frame(probeProgram("edge", "iptables_filter", false))],
  ["a stage", frame(stageProgram("edge", "1-2", "0a", files))],
  ["a confirm", frame(confirmProgram("edge", "1-2"))],
  [
    "the script with a stage's commands",
    `${writtenScript}${stageProgram("edge", "1-2", "0a", files).commands}`,
  ],
] as const;

const checkers = [
  // SC2317, unreachable code: shellcheck does not see that the functions after an exit are called earlier.
  // SC2016 and SC1003, what is in single quotes: programs hold the whole script in such quotes.
  // SC1091, a script that it was not given: a confirm reads the one that is on the host.
  ["shellcheck", ["shellcheck", "--shell=sh", "--exclude=SC2317,SC2016,SC1003,SC1091", "-"]],
  ["dash", ["dash", "-n"]],
  ["busybox", ["busybox", "sh", "-n"]],
] as const;

describe.each(checkers)("%s finds nothing wrong with", (_tool, [command, ...args]) => {
  test.for(programs)("%s", ([, program], { skip }) => {
    const { error, stdout, stderr } = spawnSync(command, args, { input: program, encoding: "utf8" });
    if (error !== undefined) {
      if (process.env["CI"]) throw new Error(`${command} is needed here: ${error.message}`);
      console.log(`skipped: ${command} is not installed`);
      skip(`${command} is not installed`);
    }
    expect(`${stdout}${stderr}`).toBe("");
  });
});

test("is sent without comments, and its functions and the files that it writes are those that are written", () => {
  // bash lists functions in a form of its own, with here-documents and texts as they are.
  const list = (script: string) =>
    spawnSync("bash", ["-s"], { input: `${script}declare -f\n`, encoding: "utf8" }).stdout;
  expect(list(hostScript)).toBe(list(`${writtenScript}\n`));
  expect(list(hostScript).length).toBeGreaterThan(50_000);
  expect(hostScript.length).toBeLessThan(0.75 * writtenScript.length);
  expect(hostScript).toContain("# Knockgate: loads the confirmed ruleset of policy $policy");
});

test("does nothing by itself", () => {
  const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input: hostScript, encoding: "utf8" });
  expect({ stdout, stderr, status }).toEqual({ stdout: "", stderr: "", status: 0 });
});
