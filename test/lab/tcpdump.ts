import { once } from "node:events";
import { startCommand } from "./command";
import type { LabMachine } from "./machine";

/** Writes what comes and goes at a machine's device to a file of the outside, while `send` does its work. */
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
  } finally {
    child.kill("SIGINT");
    await ended;
  }
}
