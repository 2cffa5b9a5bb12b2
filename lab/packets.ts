import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startCommand } from "./command";
import type { LabMachine } from "./machine";
import { letParentEnd } from "./parent";
import { startBeside } from "./start-beside";

export type Sender = LabMachine | "outside";

type PacketStep =
  | { readonly tcp: number }
  /** `payload` is in hex. */
  | { readonly udp: number; readonly payload?: string }
  | { readonly icmpPayloadBytes: number }
  /** `pattern` is 16 bytes in hex. They begin at the 17th byte of the payload. */
  | { readonly echo: { readonly pattern: string; readonly bytes: number } };

export interface Packets {
  /** An IPv4 or IPv6 address. */
  readonly to: string;
  readonly steps: readonly PacketStep[];
  /** The pause between steps. Default 2. */
  readonly pauseMs?: number;
  /** For TCP and UDP. With a fixed port the same step twice is one packet that the network doubled. */
  readonly sourcePort?: number;
}

/** Sends each step's packet once and in order. Resolves when the kernel has the last one. */
export async function sendKnock(from: Sender, packets: Packets): Promise<void> {
  await ask(from, { kind: "knock", pauseMs: 2, ...packets });
}

/** Tries to open a TCP connection; "silent" if nothing came back in that time. */
export async function tryConnect(
  from: Sender,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<"open" | "refused" | "silent"> {
  const answer = await ask(from, { kind: "connect", address, port, timeoutMs });
  if (answer === "open" || answer === "refused" || answer === "silent") return answer;
  throw new Error(`lab: packet sender answered ${JSON.stringify(answer)}`);
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

interface Helper {
  readonly child: ChildProcessWithoutNullStreams;
  readonly waiting: Map<number, (answer: Answer) => void>;
}

const helpers = new Map<Sender, Helper>();
let lastId = 0;

async function ask(from: Sender, request: object): Promise<unknown> {
  const helper = helpers.get(from) ?? startHelper(from);
  const id = ++lastId;
  const answer = await new Promise<Answer>((resolve) => {
    helper.waiting.set(id, resolve);
    if (helper.waiting.size === 1) helper.child.ref();
    helper.child.stdin.write(`${JSON.stringify({ id, request })}\n`);
  });
  if (answer.error !== undefined) {
    const name = from === "outside" ? from : from.name;
    throw new Error(`lab: sending packets from ${name} failed: ${answer.error}`);
  }
  return answer.value;
}

/**
 * Runs in the machine's network, and in its pid namespace to end with it, but with the outside's files, among them
 * node.
 */
function startHelper(from: Sender): Helper {
  const argv = [process.execPath, join(__dirname, "packet-sender.mjs")];
  const child = from === "outside" ? startCommand(argv) : startBeside(from, argv);
  const helper: Helper = { child, waiting: new Map() };
  helpers.set(from, helper);
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  child.stdin.on("error", () => undefined);
  letParentEnd(child);
  const settle = (answer: Answer) => {
    helper.waiting.get(answer.id)?.(answer);
    helper.waiting.delete(answer.id);
    if (helper.waiting.size === 0) child.unref();
  };
  createInterface({ input: child.stdout }).on("line", (line) => settle(JSON.parse(line)));
  const end = (why: string) => {
    helpers.delete(from);
    for (const id of helper.waiting.keys()) settle({ id, error: `${why} ${complaints.trim()}` });
  };
  child.on("error", (cause) => end(cause.message));
  child.on("close", () => end("its helper ended"));
  return helper;
}
