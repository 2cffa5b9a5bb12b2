import { KnockgateError } from "../errors.js";
import type { SshLink } from "./link.js";

interface Ends {
  /** 0 means no limit. */
  readonly timeoutMs: number;
  readonly lost: () => KnockgateError;
  readonly late: () => KnockgateError;
}

/** A wait for the other side. */
export interface Waiting<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
  /** Sets what to do when the time is over. When it is over already, does it at once and returns true. */
  onLate(act: () => void): boolean;
}

/** Waits for what `begin` starts, until the time is over or the connection is lost. */
export function withDeadline<T>(
  link: SshLink,
  { timeoutMs, lost, late }: Ends,
  begin: (waiting: Waiting<T>) => void,
): Promise<T> {
  let isLate = false;
  let whenLate: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopListening: () => void = () => undefined;
  return new Promise<T>((resolve, reject) => {
    stopListening = link.onClose(() => reject(lost()));
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
    begin({ resolve, reject, onLate });
  }).finally(() => {
    clearTimeout(timer);
    stopListening();
  });
}

export function tellLost({ name, whyLost }: SshLink, when: string): KnockgateError {
  const why = whyLost();
  return unreachableError(name, `the connection was lost ${when}${why === undefined ? "" : ` (${why})`}`);
}

export function unreachableError(name: string, why: string, cause?: Error): KnockgateError {
  return new KnockgateError("UNREACHABLE", `${name}: ${why}`, { cause });
}
