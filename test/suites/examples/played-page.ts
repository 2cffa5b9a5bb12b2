import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

/** The commands of a page's blocks `console` below one heading, without their comments, in order. */
export function readCommands(page: string, heading: string): readonly string[] {
  const text = readFileSync(join(__dirname, "..", "..", "..", page), "utf8");
  const section = text.split(/^## /m).find((one) => one.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${page} has no heading ${heading}`);
  const blocks = [...section.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  const lines = blocks.join("").split("\n");
  return lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2).replace(/ {2,}#.*/, ""));
}

interface Played {
  readonly code: number;
  /** What it printed, to stdout and to stderr. */
  readonly printed: string;
}

/** A person's shell: what a command exports, and the folder that it goes to, hold for the next one. */
export interface PersonShell {
  play(command: string, limitMs: number): Promise<Played>;
  end(): void;
}

/**
 * Starts bash with a home of its own. ssh takes the home from /etc/passwd, so bash and what it starts see another one.
 */
export function startShell(home: string, environment: NodeJS.ProcessEnv): PersonShell {
  const accounts = `${home}.passwd`;
  const { homedir: real, username } = userInfo();
  const moved = readFileSync("/etc/passwd", "utf8").replace(
    new RegExp(`^(${username}:.*):${real}:`, "m"),
    `$1:${home}:`,
  );
  writeFileSync(accounts, moved);
  const program = 'mount --bind "$1" /etc/passwd && cd "$HOME" && exec bash';
  const argv = ["--mount", "--propagation", "private", "sh", "-c", program, "sh", accounts];
  const child = spawn("unshare", argv, { env: { ...environment, HOME: home } });
  return { play: (command, limitMs) => play(child, command, limitMs), end: () => child.kill() };
}

/** Bash prints a mark behind what the command printed. */
function play(child: ChildProcessWithoutNullStreams, command: string, limitMs: number): Promise<Played> {
  const mark = randomUUID();
  return new Promise((resolve, reject) => {
    let printed = "";
    const settle = (act: () => void) => {
      clearTimeout(timer);
      child.stdout.off("data", listen);
      child.off("close", fail);
      act();
    };
    const fail = () => settle(() => reject(new Error(`the shell ended in: ${command}\n${printed}`)));
    const timer = setTimeout(
      () => settle(() => reject(new Error(`not done in ${limitMs} ms: ${command}\n${printed}`))),
      limitMs,
    );
    const listen = (chunk: Buffer) => {
      printed += chunk.toString();
      const end = new RegExp(`${mark} (\\d+)\n$`).exec(printed);
      if (end === null) return;
      settle(() => resolve({ code: Number(end[1]), printed: printed.slice(0, end.index) }));
    };
    child.stdout.on("data", listen);
    child.once("close", fail);
    child.stdin.write(`{ ${command}\n} </dev/null 2>&1; echo ${mark} $?\n`);
  });
}
