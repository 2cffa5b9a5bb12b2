import { AsyncLocalStorage } from "node:async_hooks";
import { escapeControls } from "../printable.js";

const listeners = new AsyncLocalStorage<(line: string) => void>();

/** Tells the user one line, or a few; it holds no secret. */
export function logLine(text: string): void {
  // What a host said may be in it.
  const line = escapeControls(text);
  const listener = listeners.getStore();
  // The engine shows what a dynamic provider's process prints as lines of its log.
  if (listener === undefined) console.log(line);
  else listener(line);
}

const told = new Set<string>();

/** Tells the user one line that is the same for many resources: once in a run, which has a process of its own. */
export function logLineOnce(line: string): void {
  if (told.has(line)) return;
  told.add(line);
  logLine(line);
}

/** Gives a listener what is logged during an act, instead of printing it. */
export function withLog<T>(listener: (line: string) => void, act: () => Promise<T>): Promise<T> {
  return listeners.run(listener, act);
}
