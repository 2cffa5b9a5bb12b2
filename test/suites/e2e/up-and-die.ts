import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { killTree } from "./process-tree";

/**
 * Runs `up` in a process of its own, and kills program, engine and provider as soon as this text was printed. Returns
 * the number of these processes.
 */
export async function upAndDieAfter(printed: string, declared: object, directory: string): Promise<number> {
  const file = join(directory, "declared.json");
  await writeFile(file, JSON.stringify(declared));
  const up = spawn("tsx", [join(__dirname, "up-of-another-process.ts"), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => up.once("close", resolve));
  const killed = await new Promise<number>((resolve, reject) => {
    up.stdout.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes(printed)) resolve(killTree(up.pid ?? 0).length);
    });
    up.once("close", () => reject(new Error(`up ended before it printed ${printed}`)));
  });
  await ended;
  return killed;
}
