import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { PassThrough, type Readable, type Writable } from "node:stream";
import type { CommandEnd, RemoteCommand } from "../link.js";
import { refuseCommand, startPauseMs, startTries } from "../max-sessions.js";
import { listSharing } from "./options.js";

/** What ssh prints when sshd opens no further session. */
const refusal = /refused by peer|session request failed/i;

/**
 * What ssh exits with for a failure of its own (ssh(1), "EXIT STATUS"). A command may exit with it, too, and a command
 * that a signal ended does: the protocol that the two ssh share does not pass on the signal (PROTOCOL.mux).
 */
const sshFailed = 255;

/** A connection of ssh(1) that others share. */
export interface SharedConnection {
  /** The folder of its control socket. */
  readonly folder: string;
  readonly name: string;
  /** Resolves when it has ended, and all that ssh logged is there. */
  readonly lost: Promise<unknown>;
}

/**
 * Starts a command on a connection of ssh(1), by a further ssh that shares it.
 *
 * sshd may refuse a session (MaxSessions). That shows only when that ssh ends, so it is started again then, with the
 * input so far.
 */
export function startCommand({ folder, name, lost }: SharedConnection, command: string): RemoteCommand {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  /** Input for a command that has not said anything yet. */
  let early: string[] = [];
  let hasAllInput = false;
  let hasBegun = false;
  let isGivenUp = false;
  let ended: CommandEnd | undefined;
  let tellEnd: (end: CommandEnd) => void = () => undefined;
  let child: ChildProcessByStdio<Writable, Readable, Readable>;
  const finish = (end: CommandEnd): void => {
    ended = end;
    stdout.end();
    stderr.end();
    tellEnd(end);
  };
  const begin = (tries: number): void => {
    let complaint = "";
    const free = (): void => {
      hasBegun = true;
      early = [];
      stderr.write(complaint);
      complaint = "";
    };
    child = spawn("ssh", [...listSharing(folder), "--", "shared", command], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
    child.on("error", () => undefined); // the close event follows
    child.stdin.on("error", () => undefined);
    child.stdout.on("data", (chunk) => {
      if (!hasBegun) free();
      stdout.write(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      if (hasBegun) return void stderr.write(chunk);
      complaint += chunk.toString("utf8");
    });
    for (const input of early) child.stdin.write(input);
    if (hasAllInput) child.stdin.end();
    child.once("close", async (code) => {
      const isRefused = code === sshFailed && !hasBegun && refusal.test(complaint);
      if (isRefused && !isGivenUp && tries < startTries) {
        setTimeout(() => begin(tries + 1), startPauseMs);
        return;
      }
      if (!hasBegun) free();
      if (isRefused) finish({ fault: refuseCommand(name) });
      else if (code === null || isGivenUp) finish({});
      else if (code !== sshFailed || (await isShared(folder))) finish({ code });
      // What ssh logged at its end says why the connection was lost.
      else {
        await lost;
        finish({});
      }
    });
  };
  begin(1);
  return {
    stdout,
    stderr,
    write: (input) => {
      if (!hasBegun) early.push(input);
      child.stdin.write(input);
    },
    end: (input = "") => {
      if (!hasBegun) early.push(input);
      hasAllInput = true;
      child.stdin.end(input);
    },
    close: () => {
      isGivenUp = true;
      child.kill();
    },
    onEnd: (listener) => {
      tellEnd = listener;
      if (ended !== undefined) listener(ended);
    },
  };
}

/** Whether the connection still stands. */
function isShared(folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile("ssh", [...listSharing(folder), "-O", "check", "--", "shared"], { timeout: 10_000 }, (error) =>
      resolve(error === null),
    );
  });
}
