import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import { KnockgateError } from "../errors.js";
import type { CommandResult } from "./host.js";

/** Far more than a ruleset of a thousand gates; a host that sends without end is cut off. */
const maximumOutputBytes = 64 * 1024 * 1024;

/** An SSH connection that is there, or was. */
export interface Line {
  readonly client: Client;
  /** Who is logged in where, for messages. */
  readonly name: string;
  /** What ended it, if that is known. */
  whyLost(): string | undefined;
}

/** RFC 4254, 5.1. */
const openFailure = { prohibited: 1, unknownType: 3 } as const;

/**
 * sshd refuses one more command than MaxSessions says, and forgets one that has ended only some moments later: so
 * where it runs but one at a time, the next may have to wait.
 */
const openTries = 20;
const openPauseMs = 100;

/**
 * Runs a command by the login shell of the other side, with `input` as all of its standard input.
 *
 * @throws KnockgateError `HOST_UNFIT` when the other side runs none at all, `HOST_FAILED` when a signal ended it, else
 * `UNREACHABLE`
 */
export async function runCommand(
  line: Line,
  command: string,
  input: string,
  timeoutMs: number,
): Promise<CommandResult> {
  const { client, name } = line;
  const lost = () => tellLost(line, "while a command ran");
  const late = () => {
    const limit = `no answer within ${timeoutMs / 1_000} s`;
    return unreachable(name, `${limit} to a command, which may still be running there`);
  };
  return settle<CommandResult>(client, { timeoutMs, lost, late }, (resolve, reject, onLate) => {
    const carry = (stream: ClientChannel): void => {
      // Else a command that hangs would hold its channel, of which a server grants few (MaxSessions).
      if (onLate(() => stream.close())) return; // nothing was sent, so nothing runs
      const read = collectOutput(stream);
      stream.on("close", (code: number | null | undefined, signal?: string) => {
        if (typeof code === "number") resolve({ code, ...read() });
        else if (signal === undefined) reject(lost());
        else reject(new KnockgateError("HOST_FAILED", `${name}: a command was ended there by ${signal}`));
      });
      stream.on("error", () => undefined); // its close says more
      stream.end(input);
    };
    const begin = (tries: number): void => {
      client.exec(command, (error, stream) => {
        if (error === undefined) return carry(stream);
        if (!("reason" in error)) return reject(unreachable(name, error.message, error));
        if (tries === openTries) {
          const message = `${name}: it runs no command: see MaxSessions in sshd_config(5)`;
          return reject(new KnockgateError("HOST_UNFIT", message, { cause: error }));
        }
        setTimeout(() => attempt(() => begin(tries + 1), reject, lost), openPauseMs);
      });
    };
    begin(1);
  });
}

/**
 * Opens a TCP connection from the other side.
 *
 * @throws KnockgateError `HOST_UNFIT` when the other side forbids it, else `UNREACHABLE`
 */
export async function openForward(
  line: Line,
  address: string,
  port: number,
  timeoutMs: number,
): Promise<Duplex> {
  const { client, name } = line;
  const target = `${address} port ${port}`;
  const lost = () => tellLost(line, `before it reached ${target}`);
  const late = () =>
    unreachable(name, `${target} did not answer it within ${Math.ceil(timeoutMs / 1_000)} s`);
  return settle<Duplex>(client, { timeoutMs, lost, late }, (resolve, reject, onLate) => {
    client.forwardOut("127.0.0.1", 0, address, port, (error, stream) => {
      if (error === undefined) {
        onLate(() => stream.close());
        return resolve(stream);
      }
      const reason = (error as Error & { reason?: number }).reason;
      if (reason !== openFailure.prohibited && reason !== openFailure.unknownType) {
        const why = error.message.replace(/^.*Channel open failure: */, "");
        return reject(unreachable(name, `it could not connect to ${target}: ${why}`, error));
      }
      const remedy = "see AllowTcpForwarding, PermitOpen and DisableForwarding in sshd_config(5)";
      const message = `${name}: it does not permit forwarding to ${target}: ${remedy}`;
      reject(new KnockgateError("HOST_UNFIT", message, { cause: error }));
    });
  });
}

interface Ends {
  /** 0: none. */
  readonly timeoutMs: number;
  readonly lost: () => KnockgateError;
  readonly late: () => KnockgateError;
}

/** Waits for what `begin` begins, until the time is over or the connection is. */
function settle<T>(
  client: Client,
  { timeoutMs, lost, late }: Ends,
  begin: (
    resolve: (value: T) => void,
    reject: (error: KnockgateError) => void,
    /** Says what to do when the time is over; when it is already, does so at once and returns true. */
    onLate: (act: () => void) => boolean,
  ) => void,
): Promise<T> {
  let isLate = false;
  let whenLate: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  let onClose: () => void = () => undefined;
  return new Promise<T>((resolve, reject) => {
    onClose = () => reject(lost());
    client.once("close", onClose);
    if (timeoutMs > 0) {
      timer = setTimeout(() => {
        isLate = true;
        reject(late());
        whenLate();
      }, timeoutMs);
    }
    const onLate = (act: () => void): boolean => {
      whenLate = act;
      if (isLate) act();
      return isLate;
    };
    attempt(() => begin(resolve, reject, onLate), reject, lost);
  }).finally(() => {
    clearTimeout(timer);
    client.off("close", onClose);
  });
}

/** ssh2 throws when there is no connection any more. */
function attempt(act: () => void, reject: (error: KnockgateError) => void, lost: () => KnockgateError): void {
  try {
    act();
  } catch {
    reject(lost());
  }
}

function collectOutput(stream: ClientChannel): () => { stdout: string; stderr: string } {
  const outputs: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  let bytes = 0;
  const collect = (into: Buffer[]) => (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maximumOutputBytes) into.push(chunk);
  };
  stream.on("data", collect(outputs.stdout));
  stream.stderr.on("data", collect(outputs.stderr));
  return () => ({
    stdout: Buffer.concat(outputs.stdout).toString("utf8"),
    stderr: Buffer.concat(outputs.stderr).toString("utf8"),
  });
}

function tellLost({ name, whyLost }: Line, when: string): KnockgateError {
  const why = whyLost();
  return unreachable(name, `the connection was lost ${when}${why === undefined ? "" : ` (${why})`}`);
}

function unreachable(name: string, why: string, cause?: Error): KnockgateError {
  return new KnockgateError("UNREACHABLE", `${name}: ${why}`, { cause });
}
