import { join } from "node:path";
import type { LabMachine } from "../../lab/machine";
import { type BenchHost, doorPort } from "./bench-hosts";
import { openDialogue } from "./dialogue";
import { startBeside } from "./start-beside";

type KnockStep = { readonly tcp: number } | { readonly udp: number; readonly payload: Buffer };

/**
 * Knocks at hosts from a client, and measures in milliseconds how long their doors take to open. One request at a time.
 */
export interface Prober {
  /** From just before the last step to the first connection. */
  knock(host: BenchHost, source: string, steps: readonly KnockStep[]): Promise<number>;
  /** From just before a command is started on the client to the first connection from `source`; then waits for its end. */
  run(host: BenchHost, source: string, command: readonly string[]): Promise<number>;
}

export async function startProber(client: LabMachine): Promise<Prober> {
  const argv = ["taskset", "-c", "0", "perl", join(__dirname, "prober.pl")];
  const { ask } = await openDialogue(startBeside(client, argv));
  const measure = async (host: BenchHost, words: readonly string[]) => {
    const answer = await ask(words.join(" "));
    if (/^\d+$/.test(answer)) return Number(answer) / 1e6;
    throw new Error(`${host.machine.name}: its door did not open within 3 s: ${answer}`);
  };
  return {
    knock: (host, source, steps) =>
      measure(host, ["knock", source, host.address, `${doorPort}`, ...steps.map(writeStep)]),
    run: (host, source, command) => {
      const words = command.map((word) => Buffer.from(word).toString("hex"));
      return measure(host, ["run", source, host.address, `${doorPort}`, ...words]);
    },
  };
}

function writeStep(step: KnockStep): string {
  return "tcp" in step ? `tcp:${step.tcp}` : `udp:${step.udp}:${step.payload.toString("hex")}`;
}
