import type { ClientChannel } from "ssh2";
import { KnockgateError } from "../errors.js";
import { attempt, type SshLink, tellLost, unreachableError, type Waiting, withDeadline } from "./deadline.js";
import type { CommandResult } from "./host.js";
import { collect, type Output } from "./output.js";

/**
 * A command that the other side's login shell runs. It starts when we first listen to it.
 *
 * A wait that fails throws KnockgateError: `HOST_UNFIT` when the other side runs no command at all, `HOST_FAILED` when
 * a signal ended the command, else `UNREACHABLE`. The conversation is over then.
 */
export interface ShellSession {
  /** Whether the command still takes input. */
  readonly isOpen: boolean;
  /**
   * Waits for two lines: `mark`, a space and a word on standard output, and `mark` on standard error. Drops what came
   * before them. Sends `input` first. A command that reads its input to the end before it writes anything gets that end
   * in time.
   */
  hear(mark: string, timeoutMs: number, input?: string): Promise<Heard>;
  /**
   * Sends `input` and waits for the answer. Standard output ends with a line of `mark` and a number, the answer's exit
   * code; standard error ends with a line of `mark`. If the command ends before that, the answer is all that it wrote,
   * and its exit code.
   *
   * @param limitMs the whole limit that `timeoutMs` is the rest of, for messages. Default: `timeoutMs`.
   */
  send(input: string, mark: string, timeoutMs: number, limitMs?: number): Promise<CommandResult>;
  /** Sends the last input, and waits until the command ends. */
  finish(input: string, timeoutMs: number): Promise<CommandResult>;
}

type Heard =
  /** The mark came, with this word behind it. `before` is what standard output had before the mark. */
  | { readonly kind: "word"; readonly word: string; readonly before: string }
  /** Both marks came on standard output: something on the way merges the two outputs, as a terminal does. */
  | { readonly kind: "merged" }
  /** The command ended before the mark came. */
  | { readonly kind: "ended"; readonly result: CommandResult };

/** After this part of the time its input is ended. The rest of the time is for what it says then. */
const patientPart = 0.8;

/**
 * sshd refuses a command beyond MaxSessions, and counts one that has ended for some moments longer. So where it allows
 * one command at a time, the next may have to wait.
 */
const openTries = 20;
const openPauseMs = 100;

/** The hint is sent after this silence: the usual answer does not need it, and comes sooner. */
const silenceMs = 500;

/** Prepares a conversation. `firstHint` is sent when the other side is silent at first. */
export function openShellSession(line: SshLink, command: string, firstHint: string): ShellSession {
  let hint = firstHint;
  let isOpen = true;
  let talk: RunningCommand | undefined;
  const wait = async <T>(
    timeoutMs: number,
    use: (talk: RunningCommand, waiting: Waiting<T>) => void,
    limitMs = timeoutMs,
  ): Promise<T> => {
    try {
      return await exchange<T>(line, { timeoutMs, limitMs }, (waiting) => {
        const begin = (begun: RunningCommand): void => {
          if (!waiting.onLate(() => begun.channel.close())) use(begun, waiting);
        };
        if (talk !== undefined) return begin(talk);
        openChannel(line, command, waiting, (channel) => {
          talk = carry(channel, () => {
            isOpen = false;
          });
          begin(talk);
        });
      });
    } catch (error) {
      isOpen = false;
      throw error;
    }
  };
  const concludeAtEnd = <T>(
    talk: RunningCommand,
    waiting: Waiting<T>,
    read: (result: CommandResult) => T,
  ): boolean => {
    if (talk.end === undefined) return false;
    conclude(line, talk.end, waiting, (code) =>
      read({ code, stdout: talk.stdout.take(), stderr: talk.stderr.take() }),
    );
    return true;
  };
  return {
    get isOpen() {
      return isOpen;
    },
    hear: (mark, timeoutMs, input = "") => {
      const timers: NodeJS.Timeout[] = [];
      const heard = wait<Heard>(timeoutMs, (talk, waiting) => {
        if (input !== "") talk.channel.write(input);
        const said = hint;
        hint = "";
        if (said !== "") timers.push(setTimeout(() => talk.channel.write(said), silenceMs));
        if (timeoutMs > 0) timers.push(setTimeout(() => talk.channel.end(), timeoutMs * patientPart));
        talk.listen(() => {
          const found = findWord(talk, mark);
          if (found === undefined) {
            return concludeAtEnd<Heard>(talk, waiting, (result) => ({ kind: "ended", result }));
          }
          if (found.kind === "merged") talk.channel.close();
          waiting.resolve(found);
          return true;
        });
      });
      return heard.finally(() => timers.forEach(clearTimeout));
    },
    send: (input, mark, timeoutMs, limitMs) =>
      wait<CommandResult>(
        timeoutMs,
        (talk, waiting) => {
          talk.listen(() => {
            const answer = findAnswer(talk, mark);
            if (answer === undefined) return concludeAtEnd(talk, waiting, (result) => result);
            waiting.resolve(answer);
            return true;
          });
          talk.channel.write(input);
        },
        limitMs,
      ),
    finish: (input, timeoutMs) =>
      wait<CommandResult>(timeoutMs, (talk, waiting) => {
        talk.listen(() => concludeAtEnd(talk, waiting, (result) => result));
        talk.channel.end(input);
      }),
  };
}

/** A running command, and the output that nobody has taken yet. */
interface RunningCommand {
  readonly channel: ClientChannel;
  readonly stdout: Output;
  readonly stderr: Output;
  /** How the command ended; `undefined` while it runs. */
  readonly end: End | undefined;
  /** Calls the listener now and after each further output, until it returns true: it has what it waits for. */
  listen(hasHeard: () => boolean): void;
}

function carry(channel: ClientChannel, onEnd: () => void): RunningCommand {
  let end: End | undefined;
  let tellNews: () => void = () => undefined;
  channel.on("close", (...ended: End) => {
    end = ended;
    onEnd();
    tellNews();
  });
  const [stdout, stderr] = [collect(channel, () => tellNews()), collect(channel.stderr, () => tellNews())];
  return {
    channel,
    stdout,
    stderr,
    get end() {
      return end;
    },
    listen: (hasHeard) => {
      tellNews = () => {
        // Later output is for the next listener.
        if (hasHeard()) tellNews = () => undefined;
      };
      tellNews();
    },
  };
}

function findWord({ stdout, stderr }: RunningCommand, mark: string): Heard | undefined {
  const [said, complaint] = [stdout.findLine(`${mark} `), stderr.findLine(mark)];
  if (stdout.findLine(`${mark}\n`) || stdout.findLine(`${mark}\r`)) return { kind: "merged" };
  if (said === undefined || complaint === undefined) return undefined;
  stdout.dropThrough(said);
  stderr.dropThrough(complaint);
  return { kind: "word", word: said.rest, before: said.before };
}

function findAnswer({ stdout, stderr }: RunningCommand, mark: string): CommandResult | undefined {
  const code = stdout.findEnd(new RegExp(`${mark} (\\d+)\n$`));
  if (code === undefined || stderr.findEnd(new RegExp(`(${mark})\n$`)) === undefined) return undefined;
  return { code: Number(code), stdout: stdout.take(`${mark} ${code}\n`), stderr: stderr.take(`${mark}\n`) };
}

/** What ssh2 reports when a command ends: its exit code, or the signal that ended it, or neither. */
type End = [code?: number | null, signal?: string];

function conclude<T>(
  line: SshLink,
  [code, signal]: End,
  waiting: Waiting<T>,
  read: (code: number) => T,
): void {
  if (typeof code === "number") waiting.resolve(read(code));
  else if (signal === undefined) waiting.reject(tellLost(line, whileRunning));
  else
    waiting.reject(new KnockgateError("HOST_FAILED", `${line.name}: a command was ended there by ${signal}`));
}

const whileRunning = "while a command ran";

function exchange<T>(
  line: SshLink,
  { timeoutMs, limitMs }: { readonly timeoutMs: number; readonly limitMs: number },
  begin: (waiting: Waiting<T>) => void,
): Promise<T> {
  const lost = () => tellLost(line, whileRunning);
  const late = () => {
    const limit = `no answer within ${Math.ceil(limitMs / 100) / 10} s`;
    return unreachableError(line.name, `${limit} to a command, which may still be running there`);
  };
  return withDeadline<T>(line.client, { timeoutMs, lost, late }, begin);
}

function openChannel<T>(
  line: SshLink,
  command: string,
  waiting: Waiting<T>,
  use: (channel: ClientChannel) => void,
): void {
  const begin = (tries: number): void => {
    line.client.exec(command, (error, channel) => {
      if (error === undefined) {
        // A command that hangs would hold its channel otherwise, and a server grants few of them (MaxSessions).
        if (waiting.onLate(() => channel.close())) return; // nothing was sent, so nothing runs
        channel.on("error", () => undefined); // the close event that follows says more
        return use(channel);
      }
      if (!("reason" in error)) return waiting.reject(unreachableError(line.name, error.message, error));
      if (tries === openTries) {
        const message = `${line.name}: it does not run a command: see MaxSessions in sshd_config(5)`;
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
