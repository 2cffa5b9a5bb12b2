import { KnockgateError } from "../errors.js";
import { tellLost, unreachableError, type Waiting, withDeadline } from "./deadline.js";
import type { CommandResult } from "./host.js";
import type { CommandEnd, CommandLink, RemoteCommand } from "./link.js";
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

/** The hint is sent after this silence: the usual answer does not need it, and comes sooner. */
const silenceMs = 500;

/** Prepares a conversation. `firstHint` is sent when the other side is silent at first. */
export function openShellSession(link: CommandLink, command: string, firstHint: string): ShellSession {
  let hint = firstHint;
  let isOpen = true;
  let talk: RunningCommand | undefined;
  const wait = async <T>(
    timeoutMs: number,
    use: (talk: RunningCommand, waiting: Waiting<T>) => void,
    limitMs = timeoutMs,
  ): Promise<T> => {
    try {
      return await exchange<T>(link, { timeoutMs, limitMs }, (waiting) => {
        const begin = (begun: RunningCommand): void => {
          if (!waiting.onLate(() => begun.command.close())) use(begun, waiting);
        };
        if (talk !== undefined) return begin(talk);
        // A command that comes too late is closed: a server grants few of them (MaxSessions).
        link.start(command).then((started) => {
          talk = carry(started, () => {
            isOpen = false;
          });
          begin(talk);
        }, waiting.reject);
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
    conclude(link, talk.end, waiting, (code) =>
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
        if (input !== "") talk.command.write(input);
        const said = hint;
        hint = "";
        if (said !== "") timers.push(setTimeout(() => talk.command.write(said), silenceMs));
        if (timeoutMs > 0) timers.push(setTimeout(() => talk.command.end(), timeoutMs * patientPart));
        talk.listen(() => {
          const found = findWord(talk, mark);
          if (found === undefined) {
            return concludeAtEnd<Heard>(talk, waiting, (result) => ({ kind: "ended", result }));
          }
          if (found.kind === "merged") talk.command.close();
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
          talk.command.write(input);
        },
        limitMs,
      ),
    finish: (input, timeoutMs) =>
      wait<CommandResult>(timeoutMs, (talk, waiting) => {
        talk.listen(() => concludeAtEnd(talk, waiting, (result) => result));
        talk.command.end(input);
      }),
  };
}

/** A running command, and the output that nobody has taken yet. */
interface RunningCommand {
  readonly command: RemoteCommand;
  readonly stdout: Output;
  readonly stderr: Output;
  /** How the command ended; `undefined` while it runs. */
  readonly end: CommandEnd | undefined;
  /** Calls the listener now and after each further output, until it returns true: it has what it waits for. */
  listen(hasHeard: () => boolean): void;
}

function carry(command: RemoteCommand, onEnd: () => void): RunningCommand {
  let end: CommandEnd | undefined;
  let tellNews: () => void = () => undefined;
  command.onEnd((ended) => {
    end = ended;
    onEnd();
    tellNews();
  });
  const [stdout, stderr] = [
    collect(command.stdout, () => tellNews()),
    collect(command.stderr, () => tellNews()),
  ];
  return {
    command,
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
  const code = stdout.findEnd(`${mark} `);
  if (code === undefined || !/^\d+$/.test(code) || stderr.findEnd(mark) !== "") return undefined;
  return { code: Number(code), stdout: stdout.take(`${mark} ${code}\n`), stderr: stderr.take(`${mark}\n`) };
}

function conclude<T>(
  link: CommandLink,
  { code, signal, fault }: CommandEnd,
  waiting: Waiting<T>,
  read: (code: number) => T,
): void {
  if (fault !== undefined) waiting.reject(fault);
  else if (code !== undefined) waiting.resolve(read(code));
  else if (signal === undefined) waiting.reject(tellLost(link, whileRunning));
  else
    waiting.reject(new KnockgateError("HOST_FAILED", `${link.name}: a command was ended there by ${signal}`));
}

const whileRunning = "while a command ran";

function exchange<T>(
  link: CommandLink,
  { timeoutMs, limitMs }: { readonly timeoutMs: number; readonly limitMs: number },
  begin: (waiting: Waiting<T>) => void,
): Promise<T> {
  const lost = () => tellLost(link, whileRunning);
  const late = () => {
    const limit = `no answer within ${Math.ceil(limitMs / 100) / 10} s`;
    return unreachableError(link.name, `${limit} to a command, which may still be running there`);
  };
  return withDeadline<T>(link, { timeoutMs, lost, late }, begin);
}
