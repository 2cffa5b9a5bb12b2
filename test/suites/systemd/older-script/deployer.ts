import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BootedHost } from "../../../../lab/booted-host";
import { planLoad } from "../../../../src/backends/load";
import { renderPolicy } from "../../../../src/backends/render";
import { hostScript } from "../../../../src/host/script/host-script";
import { commandProgram, stageProgram } from "../../../../src/host/script/program";
import { digestText } from "../../../../src/policy/digest";
import type { Policy } from "../../../../src/policy/policy";
import type { Program } from "../../../../src/ssh/host";
import { writeProgram } from "../../host/write-program";

/** The older script got all of these as files. */
const shim = `put_line() { printf '%s\\n' "$2" | put_file "$1"; }
put_script() { printf '%s\\nmain "$@"\\n' "$host_script" | put_file host.sh; }
`;

/** A host script from before 0.1.0, as a host may still have it. It never changes. */
const olderScript = `${readFileSync(join(__dirname, "host.sh"), "utf8")}\n${shim}`;

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
export async function runOlderScript(host: BootedHost, program: Program): Promise<void> {
  // Replaces the script that runs now, and in a stage also the one that is kept beside the change.
  const written = writeProgram(program);
  const asked = written.replaceAll(hostScript, () => olderScript);
  if (asked === written) throw new Error("the program holds no host script");
  await host.run(["sh", "-s"], { stdin: asked });
}
