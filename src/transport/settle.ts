import type { Client } from "ssh2";
import { KnockgateError } from "../errors.js";

/** An SSH connection that is there, or was. */
export interface Line {
  readonly client: Client;
  /** Who is logged in where, for messages. */
  readonly name: string;
  /** What ended it, if that is known. */
  whyLost(): string | undefined;
}

interface Ends {
  /** 0: none. */
  readonly timeoutMs: number;
  readonly lost: () => KnockgateError;
  readonly late: () => KnockgateError;
}

/** Somebody who waits for what the other side does. */
export interface Waiting<T> {
  resolve(value: T): void;
  reject(error: KnockgateError): void;
  /** Says what to do when the time is over; when it is already, does so at once and returns true. */
  onLate(act: () => void): boolean;
}

/** Waits for what `begin` begins, until the time is over or the connection is. */
export function settle<T>(
  client: Client,
  { timeoutMs, lost, late }: Ends,
  begin: (waiting: Waiting<T>) => void,
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
    attempt(() => begin({ resolve, reject, onLate }), reject, lost);
  }).finally(() => {
    clearTimeout(timer);
    client.off("close", onClose);
  });
}

/** ssh2 throws when there is no connection any more. */
export function attempt(
  act: () => void,
  reject: (error: KnockgateError) => void,
  lost: () => KnockgateError,
): void {
  try {
    act();
  } catch {
    reject(lost());
  }
}

export function tellLost({ name, whyLost }: Line, when: string): KnockgateError {
  const why = whyLost();
  return unreachable(name, `the connection was lost ${when}${why === undefined ? "" : ` (${why})`}`);
}

export function unreachable(name: string, why: string, cause?: Error): KnockgateError {
  return new KnockgateError("UNREACHABLE", `${name}: ${why}`, { cause });
}
