import { AsyncLocalStorage } from "node:async_hooks";
import { escapeControls } from "../printable.js";

const listeners = new AsyncLocalStorage<(line: string) => void>();

const names = new AsyncLocalStorage<string | undefined>();

/** Logs one line or a few, after the name of the resource that is at work. The text must not hold a secret. */
export function logLine(line: string): void {
  const name = names.getStore();
  print(name === undefined ? line : `${name}: ${line}`);
}

function print(text: string): void {
  // The text may quote a host.
  const line = escapeControls(text);
  const listener = listeners.getStore();
  // The engine's log shows what a dynamic provider's process prints.
  if (listener === undefined) console.log(line);
  else listener(line);
}

const told = new Set<string>();

/** Logs a line that is the same for many resources, once in a run. Each run has its own process. */
export function logLineOnce(line: string): void {
  if (told.has(line)) return;
  told.add(line);
  print(line);
}

/** Gives the lines that are logged during an act to a listener, instead of printing them. */
export function withLog<T>(listener: (line: string) => void, act: () => Promise<T>): Promise<T> {
  return listeners.run(listener, act);
}

/** Puts a resource's name before each line that is logged during an act; `undefined` when the name is not known. */
export function withName<T>(name: string | undefined, act: () => Promise<T>): Promise<T> {
  return names.run(name, act);
}
