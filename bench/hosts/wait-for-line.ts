import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { letParentEnd } from "../../lab/parent";

const limitMs = 15_000;

/** Resolves when a command that goes on running has printed that it is ready. The command ends with its machine. */
export function waitForLine(child: ChildProcessWithoutNullStreams, ready: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const fail = (what: string) =>
      reject(new Error(`${child.spawnargs.slice(-4).join(" ")} ${what}: ${output.trim()}`));
    const timer = setTimeout(() => {
      child.kill();
      fail(`was not ready within ${limitMs} ms`);
    }, limitMs);
    const read = (text: string) => {
      output = (output + text).slice(-4_000);
      if (!ready.test(output)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.on("error", (cause) => fail(cause.message));
    child.on("close", (code) => fail(`ended with ${code}`));
    letParentEnd(child);
  });
}
