import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { KnockGate, type KnockGateArgs } from "knockgate";
import { openStack } from "../../../lab/stack";

/** tsx up.ts FILE: one `up` of the gate that FILE declares, in a process that can be killed. */
async function main(file: string): Promise<void> {
  const args: KnockGateArgs = JSON.parse(readFileSync(file, "utf8"));
  const stack = await openStack(dirname(file), async () => {
    const gate = new KnockGate("edge", args);
    return { knock: gate.knock };
  });
  await stack.up({ onOutput: (text) => process.stdout.write(text), color: "never" });
}

main(process.argv[2] ?? "").catch((error: unknown) => {
  console.error(`${error}`);
  process.exitCode = 1;
});
