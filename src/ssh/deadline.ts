import type { Client } from "ssh2";
import { KnockgateError } from "../errors.js";

/** An SSH connection, open or lost. */
export interface SshLink {
  readonly client: Client;
  /** Who is logged in where, for messages. */
  readonly name: string;
  /** Why it was lost, if that is known. */
  whyLost(): string | undefined;
}

interface Ends {
  /** 0 means no limit. */
  readonly timeoutMs: number;
  readonly lost: () => KnockgateError;
  readonly late: () => KnockgateError;
}

/** A wait for the other side. */
export interface Waiting<T> {
  resolve(value: T): void;
  reject(error: KnockgateError): void;
  /** Sets what to do when the time is over. When it is over already, does it at once and returns true. */
  onLate(act: () => void): boolean;
}

/** Waits for what `begin` starts, until the time is over or the connection is lost. */
export function withDeadline<T>(
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

/** ssh2 throws when the connection is closed already. */
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

export function tellLost({ name, whyLost }: SshLink, when: string): KnockgateError {
  const why = whyLost();
  return unreachableError(name, `the connection was lost ${when}${why === undefined ? "" : ` (${why})`}`);
}

export function unreachableError(name: string, why: string, cause?: Error): KnockgateError {
  return new KnockgateError("UNREACHABLE", `${name}: ${why}`, { cause });
}
