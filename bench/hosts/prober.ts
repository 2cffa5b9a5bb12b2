import { join } from "node:path";
import type { LabMachine } from "../../lab/machine";
import { startBeside } from "../../lab/start-beside";
import { type BenchHost, doorPort } from "./bench-hosts";
import { openDialogue } from "./dialogue";

/** A SYN or a datagram. With `reply`, a last datagram goes where the first one went, made from what was answered. */
export type KnockStep =
  | { readonly tcp: number }
  | { readonly udp: number; readonly payload: Buffer; readonly reply?: (answer: Buffer) => Buffer };

/**
 * Knocks at hosts from a client, and measures in milliseconds how long their doors take to open. One request at a time.
 */
export interface Prober {
  /** From just before the last packet to the first connection. */
  knock(host: BenchHost, source: string, steps: readonly KnockStep[]): Promise<number>;
  /** Sends a knock's packets, and looks at no door. */
  send(host: BenchHost, source: string, steps: readonly KnockStep[]): Promise<void>;
  /** From just before a command is started on the client to the first connection from `source`; then waits for its end. */
  run(host: BenchHost, source: string, command: readonly string[]): Promise<number>;
}

/** @param environment for the commands that it runs, such as `NAME=value` */
export async function startProber(client: LabMachine, environment: readonly string[] = []): Promise<Prober> {
  const argv = ["env", ...environment, "taskset", "-c", "0", "perl", join(__dirname, "prober.pl")];
  const { ask } = await openDialogue(startBeside(client, argv));
  const measure = async (host: BenchHost, answer: string) => {
    if (/^\d+$/.test(answer)) return Number(answer) / 1e6;
    throw new Error(`${host.machine.name}: its door did not open within 3 s: ${answer}`);
  };
  const send = async (kind: string, host: BenchHost, source: string, steps: readonly KnockStep[]) => {
    const answer = await ask([kind, source, host.address, `${doorPort}`, ...steps.map(writeStep)].join(" "));
    const last = steps.at(-1);
    const [, challenge] = /^answer ([0-9a-f]+)$/.exec(answer) ?? [];
    if (challenge === undefined || last === undefined || !("reply" in last)) return answer;
    return ask(last.reply(Buffer.from(challenge, "hex")).toString("hex"));
  };
  return {
    knock: async (host, source, steps) => measure(host, await send("knock", host, source, steps)),
    send: async (host, source, steps) => void (await send("send", host, source, steps)),
    run: async (host, source, command) => {
      const words = command.map((word) => Buffer.from(word).toString("hex"));
      return measure(host, await ask(["run", source, host.address, `${doorPort}`, ...words].join(" ")));
    },
  };
}

function writeStep(step: KnockStep): string {
  if ("tcp" in step) return `tcp:${step.tcp}`;
  return `${step.reply === undefined ? "udp" : "ask"}:${step.udp}:${step.payload.toString("hex")}`;
}
