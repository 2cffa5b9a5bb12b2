import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BootedHost } from "../../../lab/booted-host";
import { planLoad } from "../../../src/backends/load";
import { renderPolicy } from "../../../src/backends/render";
import { hostScript } from "../../../src/host/script/host-script";
import { commandProgram, stageProgram } from "../../../src/host/script/program";
import { digestText } from "../../../src/policy/digest";
import type { Policy } from "../../../src/policy/policy";
import type { Program } from "../../../src/ssh/host";
import { quoteText } from "../../../src/ssh/quote-shell";
import { writeProgram } from "../host/write-program";

const fixture = join(__dirname, "..", "..", "fixtures", "first-release", "host.sh");

/** The host script of the first release, without its last line, which calls it. The comment makes it another script. */
const olderScript = `# Of an older release.\n${readFileSync(fixture, "utf8").replace(/main "\$@"\n$/, "")}`;

/** Makes a new gate on a host by the older script: up to load, or up to confirm. Returns the change's id. */
export async function applyOlderScript(
  host: BootedHost,
  policy: Policy,
  { upTo, undoAfterSeconds }: { readonly upTo: "load" | "confirm"; readonly undoAfterSeconds: number },
): Promise<string> {
  const id = randomUUID();
  const text = renderPolicy(policy);
  const load = planLoad(policy, undefined, "127.0.0.1").text;
  const files = { ruleset: text, load, owner: "me", backend: "nftables" } as const;
  const programs = [
    stageProgram(policy.name, id, digestText(text), files),
    commandProgram(["arm", policy.name, id, `${undoAfterSeconds}`]),
    commandProgram(["load", policy.name, id]),
    ...(upTo === "confirm" ? [commandProgram(["confirm", policy.name, id])] : []),
  ];
  for (const program of programs) await runOlderScript(host, program);
  return id;
}

/** Sends the older script a command, as a deployer of that time does. */
export async function runOlderScript(host: BootedHost, { functions = "", commands }: Program): Promise<void> {
  // Replaces the script that runs now, and in a stage also the one that is kept beside the change.
  const older = functions.replaceAll(quoteText(hostScript), () => quoteText(olderScript));
  if (older === functions) throw new Error("the program holds no host script");
  const asked = writeProgram({ functions: older, commands: sendAsInput(commands) });
  await host.run(["sh", "-s"], { stdin: asked });
}

/** Files were the input of `put_file` then. */
function sendAsInput(commands: string): string {
  return commands.replaceAll(/^(put_file \w+) '([^']*)'$/gm, "$1 <<'END'\n$2\nEND");
}
