import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostScript } from "../../../src/apply/host-script";
import { commandProgram, stageProgram } from "../../../src/apply/program";
import { planLoad } from "../../../src/plan/load";
import { digestText } from "../../../src/policy/digest";
import type { Policy } from "../../../src/policy/schema";
import { renderPolicy } from "../../../src/render/render";
import type { BootedHost } from "../../lab/booted-host";

/** The host script of the first release, as hosts still have it. It stays as it is. */
const firstScript = readFileSync(join(__dirname, "host.sh"), "utf8");

/** Does on a host what the first release did for a new gate: up to load, or up to confirm. Returns the change's id. */
export async function applyFirstRelease(
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
  for (const program of programs) await runFirstScript(host, program);
  return id;
}

/** Asks the script of the first release for a command, as an old deployer does. */
export async function runFirstScript(host: BootedHost, program: string): Promise<void> {
  // Once for what runs now, and within a stage once more for what is kept beside the change.
  const older = program.replaceAll(hostScript, () => firstScript);
  if (older === program) throw new Error("the program holds no host script");
  await host.run(["sh", "-s"], { stdin: older });
}
