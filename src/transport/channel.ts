import type { ClientChannel } from "ssh2";
import { KnockgateError } from "../errors.js";
import type { CommandResult } from "./host.js";
import { attempt, type Line, settle, tellLost, unreachable, type Waiting } from "./settle.js";

/** A command that goes on: it is told something, does it, and marks the ends of its two outputs when it has. */
export interface Conversation {
  /** Whether it can be told more. */
  readonly isOpen: boolean;
  /**
   * Tells it something and waits for its answer: what it writes until standard output ends with a line of `mark` and
   * a number, which is the answer's code, and standard error with one of `mark`; or, if it ends before that, all that it
   * wrote, and its exit code.
   *
   * @throws KnockgateError `HOST_UNFIT` when the other side runs no command at all, `HOST_FAILED` when a signal ended
   * it, else `UNREACHABLE`; it is over then
   */
  tell(input: string, mark: string, timeoutMs: number): Promise<CommandResult>;
}

/** Far more than a ruleset of a thousand gates; a host that sends without end is cut off. */
const maximumOutputBytes = 64 * 1024 * 1024;

/**
 * sshd refuses one more command than MaxSessions says, and forgets one that has ended only some moments later: so
 * where it runs but one at a time, the next may have to wait.
 */
const openTries = 20;
const openPauseMs = 100;

/**
 * Runs a command by the login shell of the other side, with `input` as all of its standard input.
 *
 * @throws KnockgateError as a conversation does
 */
export function runCommand(
  line: Line,
  command: string,
  input: string,
  timeoutMs: number,
): Promise<CommandResult> {
  return exchange<CommandResult>(line, timeoutMs, (waiting) =>
    openChannel(line, command, waiting, (channel) => {
      const [stdout, stderr] = [collect(channel), collect(channel.stderr)];
      channel.on("close", (...end: End) =>
        conclude(line, end, waiting, (code) => ({ code, stdout: stdout.take(), stderr: stderr.take() })),
      );
      channel.end(input);
    }),
  );
}

/** Prepares a conversation with a command of the other side's login shell, which is started when it is first told something. */
export function openConversation(line: Line, command: string): Conversation {
  let isOpen = true;
  let talk: ((input: string, mark: string, waiting: Waiting<CommandResult>) => void) | undefined;
  const carry = (channel: ClientChannel): NonNullable<typeof talk> => {
    const [stdout, stderr] = [collect(channel, () => listen()), collect(channel.stderr, () => listen())];
    let listen: () => void = () => undefined;
    let waiting: Waiting<CommandResult> | undefined;
    channel.on("close", (...end: End) => {
      isOpen = false;
      if (waiting === undefined) return;
      conclude(line, end, waiting, (code) => {
        return { code, stdout: stdout.take(), stderr: stderr.take() };
      });
    });
    return (input, mark, forAnswer) => {
      waiting = forAnswer;
      if (waiting.onLate(() => channel.close())) return;
      listen = () => {
        const code = stdout.findEnd(new RegExp(`${mark} (\\d+)\n$`));
        if (code === undefined || stderr.findEnd(new RegExp(`(${mark})\n$`)) === undefined) return;
        const said = { stdout: stdout.take(`${mark} ${code}\n`), stderr: stderr.take(`${mark}\n`) };
        forAnswer.resolve({ code: Number(code), ...said });
      };
      channel.write(input);
    };
  };
  return {
    get isOpen() {
      return isOpen;
    },
    tell: async (input, mark, timeoutMs) => {
      try {
        return await exchange<CommandResult>(line, timeoutMs, (waiting) => {
          if (talk !== undefined) return talk(input, mark, waiting);
          openChannel(line, command, waiting, (channel) => {
            talk = carry(channel);
            talk(input, mark, waiting);
          });
        });
      } catch (error) {
        isOpen = false;
        throw error;
      }
    },
  };
}

/** What ssh2 says of a command's end: its exit code, or the signal that ended it, or neither. */
type End = [code?: number | null, signal?: string];

function conclude<T>(line: Line, [code, signal]: End, waiting: Waiting<T>, read: (code: number) => T): void {
  if (typeof code === "number") waiting.resolve(read(code));
  else if (signal === undefined) waiting.reject(tellLost(line, whileRunning));
  else
    waiting.reject(new KnockgateError("HOST_FAILED", `${line.name}: a command was ended there by ${signal}`));
}

const whileRunning = "while a command ran";

function exchange<T>(line: Line, timeoutMs: number, begin: (waiting: Waiting<T>) => void): Promise<T> {
  const lost = () => tellLost(line, whileRunning);
  const late = () => {
    const limit = `no answer within ${timeoutMs / 1_000} s`;
    return unreachable(line.name, `${limit} to a command, which may still be running there`);
  };
  return settle<T>(line.client, { timeoutMs, lost, late }, begin);
}

function openChannel<T>(
  line: Line,
  command: string,
  waiting: Waiting<T>,
  use: (channel: ClientChannel) => void,
): void {
  const begin = (tries: number): void => {
    line.client.exec(command, (error, channel) => {
      if (error === undefined) {
        // Else a command that hangs would hold its channel, of which a server grants few (MaxSessions).
        if (waiting.onLate(() => channel.close())) return; // nothing was sent, so nothing runs
        channel.on("error", () => undefined); // its close says more
        return use(channel);
      }
      if (!("reason" in error)) return waiting.reject(unreachable(line.name, error.message, error));
      if (tries === openTries) {
        const message = `${line.name}: it runs no command: see MaxSessions in sshd_config(5)`;
        return waiting.reject(new KnockgateError("HOST_UNFIT", message, { cause: error }));
      }
      setTimeout(
        () =>
          attempt(
            () => begin(tries + 1),
            waiting.reject,
            () => tellLost(line, whileRunning),
          ),
        openPauseMs,
      );
    });
  };
  begin(1);
}

/** What a command writes to one of its outputs. */
interface Output {
  /** Finds what a pattern's first group says at its end; of the last bytes alone. */
  findEnd(pattern: RegExp): string | undefined;
  /** All that was written since the last time, less what it ends with. */
  take(end?: string): string;
}

function collect(stream: NodeJS.ReadableStream, onMore: () => void = () => undefined): Output {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let last = "";
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maximumOutputBytes) chunks.push(chunk);
    last = `${last}${chunk.subarray(-80).toString("latin1")}`.slice(-80);
    onMore();
  });
  return {
    findEnd: (pattern) => pattern.exec(last)?.[1],
    take: (end = "") => {
      const text = Buffer.concat(chunks).toString("utf8");
      [chunks, bytes, last] = [[], 0, ""];
      return text.endsWith(end) ? text.slice(0, text.length - end.length) : text;
    },
  };
}
