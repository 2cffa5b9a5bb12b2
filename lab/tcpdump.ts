import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { startCommand } from "./command";
import type { LabMachine } from "./machine";

/** Captures the packets at a machine's device to a file of the outside, while `send` runs. */
export async function captureDuring(
  machine: LabMachine,
  device: string,
  file: string,
  send: () => Promise<void>,
): Promise<void> {
  const argv = ["tcpdump", "-n", "-U", "--immediate-mode", "-i", device, "-w", file];
  const child = startCommand(["nsenter", "--target", String(machine.pid), "--net", "--", ...argv]);
  let complaints = "";
  const ended = once(child, "exit");
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaints += text;
      if (complaints.includes("listening on")) resolve();
    });
    const fail = () =>
      reject(new Error(`lab: tcpdump on ${machine.name} did not start: ${complaints.trim()}`));
    ended.then(fail, fail);
  });
  try {
    await send();
    // A signal at once would lose packets that it has not read yet. So it is asked for its counts first (tcpdump(8),
    // SIGUSR1).
    while (!isThrough(complaints)) {
      child.kill("SIGUSR1");
      await Promise.race([sleep(20), ended]);
      if (child.exitCode !== null)
        throw new Error(`lab: tcpdump on ${machine.name} ended: ${complaints.trim()}`);
    }
  } finally {
    child.kill("SIGINT");
    await ended;
  }
}

/** Tells whether the last counts show that all received packets were captured. */
function isThrough(complaints: string): boolean {
  const counts = [...complaints.matchAll(/(\d+) packets? captured, (\d+) packets? received by filter/g)].at(
    -1,
  );
  return counts !== undefined && counts[1] === counts[2];
}
