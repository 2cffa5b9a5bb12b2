import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { command as knock } from "../../../../src/cli/commands/knock/command";
import { command as proxy } from "../../../../src/cli/commands/proxy/command";
import { writeKnockCommands } from "../../../../src/knock/clients/knock-commands";
import { makeProfile } from "../../../../src/knock/clients/profile";
import { writeSshConfig } from "../../../../src/knock/clients/ssh-config";
import { readStep, type Step, type StepInput } from "../../../../src/policy/step";
import { readPolicy } from "../../policy/read-policy";

const docs = join(__dirname, "..", "..", "..", "..", "docs");
const text = readFileSync(join(docs, "clients.md"), "utf8");
const way = { host: "203.0.113.7", port: 22, user: "ops" };

/** The cells of a table without its head. A bar within a cell is written `\|`. */
function readTable(head: string): readonly (readonly string[])[] {
  const [, table = ""] = new RegExp(`^\\| ${head} \\|.*\\n.*\\n((?:\\|.*\\n)*)`, "m").exec(text) ?? [];
  return table
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(2, -2).split(/ (?<!\\)\| /))
    .map((cells) => cells.map((cell) => cell.replaceAll("\\|", "|")));
}

function readSteps(cell: string): readonly Step[] {
  const json = cell.replace(/^`|`$/g, "").replace(/(\w+):/g, '"$1":');
  const steps: readonly StepInput[] = JSON.parse(`[${json}]`);
  return steps.map(readStep);
}

test("the clients' document has each command just as it is written", () => {
  const [mixed = "", echoes = ""] = [...text.matchAll(/`(\{ \w+: \d+ \}, [^`]*)`/g)].map(
    ([, steps]) => steps,
  );
  const commands = writeKnockCommands(readSteps(mixed), way);
  const { ping } = writeKnockCommands(readSteps(echoes), way);
  const [, alias] = /^Host (.*)$/m.exec(writeSshConfig("edge", way, undefined)) ?? [];
  expect(readTable("client").map(([, command = ""]) => command)).toEqual(
    [
      knock.examples[0]?.line.split(" && ")[0],
      proxy.examples[0]?.line,
      `ssh ${alias}`,
      commands.knock,
      commands.nmap,
      commands.bash,
      commands.netcat,
      ping,
    ].map((command) => `\`${command}\``),
  );
});

test("it says for each kind of step which commands there are", () => {
  const rows = readTable("step");
  expect(rows).toHaveLength(7);
  for (const [steps = "", ...cells] of rows) {
    const written = Object.keys(writeKnockCommands(readSteps(steps), way));
    const tools = ["knock", "nmap", "bash", "netcat", "ping"];
    expect(
      tools.filter((_, index) => cells[index]?.startsWith("yes")),
      steps,
    ).toEqual(written);
  }
});

test("docs/tokens.md has a profile just as a gate's output has it", () => {
  const page = readFileSync(join(docs, "tokens.md"), "utf8");
  const [, written = ""] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const policy = readPolicy({
    name: "edge",
    users: [{ name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" }],
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } }],
  });
  expect(JSON.parse(written)).toEqual(makeProfile("edge", { ...way, host: "edge.example.org" }, policy));
});
