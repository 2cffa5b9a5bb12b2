import { join } from "node:path";
import { createInterface } from "node:readline";
import type { LabMachine } from "../../test/lab/machine";
import { letParentEnd } from "../../test/lab/parent";
import { type BenchHost, doorPort } from "./bench-hosts";
import { startBeside } from "./start-beside";

type KnockStep = { readonly tcp: number } | { readonly udp: number; readonly payload: Buffer };

/** Knocks at hosts from a client, and measures in milliseconds until their doors open. One request at a time. */
export interface Prober {
  /** From just before the last step to the first connection. */
  knock(host: BenchHost, source: string, steps: readonly KnockStep[]): Promise<number>;
  /** From just before a command is started on the client to the first connection from `source`; then waits for its end. */
  run(host: BenchHost, source: string, command: readonly string[]): Promise<number>;
}

export function startProber(client: LabMachine): Prober {
  const child = startBeside(client, ["taskset", "-c", "0", "perl", join(__dirname, "prober.pl")]);
  let complaints = "";
  let waiting: { resolve(line: string): void; reject(error: Error): void } | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  child.stdin.on("error", () => undefined);
  createInterface({ input: child.stdout }).on("line", (line) => waiting?.resolve(line));
  child.on("close", () => waiting?.reject(new Error(`the prober ended: ${complaints.trim()}`)));
  letParentEnd(child);
  const ask = async (host: BenchHost, words: readonly string[]) => {
    const answer = await new Promise<string>((resolve, reject) => {
      waiting = { resolve, reject };
      child.ref();
      child.stdin.write(`${words.join(" ")}\n`);
    });
    if (/^\d+$/.test(answer)) return Number(answer) / 1e6;
    throw new Error(`${host.machine.name}: its door did not open within 3 s: ${answer}`);
  };
  return {
    knock: (host, source, steps) =>
      ask(host, ["knock", source, host.address, `${doorPort}`, ...steps.map(writeStep)]),
    run: (host, source, command) => {
      const words = command.map((word) => Buffer.from(word).toString("hex"));
      return ask(host, ["run", source, host.address, `${doorPort}`, ...words]);
    },
  };
}

function writeStep(step: KnockStep): string {
  return "tcp" in step ? `tcp:${step.tcp}` : `udp:${step.udp}:${step.payload.toString("hex")}`;
}
