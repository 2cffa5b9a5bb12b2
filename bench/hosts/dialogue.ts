import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { waitForLine } from "./wait-for-line";

/** A program that answers each line of input by one line. */
export interface Dialogue {
  /** One question at a time. Rejects with the program's stderr if the program ends instead of answering. */
  ask(question: string): Promise<string>;
  /** Ends the program's input, and with it the program. */
  close(): Promise<void>;
}

/** Resolves when the program has printed "ready". The program also ends with this process. */
export async function openDialogue(child: ChildProcessWithoutNullStreams): Promise<Dialogue> {
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  // A question to a program that has just ended is lost. The missing answer shows it.
  child.stdin.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await waitForLine(child, /^ready$/m);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      child.ref();
      child.stdin.write(`${question}\n`);
      const answer = await answers.next();
      if (!answer.done) return answer.value;
      await ended;
      throw new Error(`${child.spawnargs.slice(-4).join(" ")} ended: ${complaints.trim()}`);
    },
    close: () => {
      child.ref();
      child.stdin.end();
      return ended;
    },
  };
}
