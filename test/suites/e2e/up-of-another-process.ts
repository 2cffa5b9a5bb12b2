import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { openStack } from "../../../lab/stack";
import { gateProgram } from "./declaration";
import { fleetProgram } from "./fleet-program";

/** tsx up-of-another-process.ts FILE: one `up` of what FILE declares, in a process that a test can kill. */
async function main(file: string): Promise<void> {
  const declared = JSON.parse(readFileSync(file, "utf8"));
  const program = "hosts" in declared ? fleetProgram(declared) : gateProgram(declared);
  const stack = await openStack(dirname(file), program);
  await stack.up({ onOutput: (text) => process.stdout.write(text), color: "never" });
}

void main(process.argv[2] ?? "");
