import { AsyncLocalStorage } from "node:async_hooks";
import { escapeControls } from "../printable.js";

const listeners = new AsyncLocalStorage<(line: string) => void>();

const names = new AsyncLocalStorage<string | undefined>();

/** Tells the user one line, or a few, behind the name of the resource that is at work; it holds no secret. */
export function logLine(line: string): void {
  const name = names.getStore();
  print(name === undefined ? line : `${name}: ${line}`);
}

function print(text: string): void {
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
  print(line);
}

/** Gives a listener what is logged during an act, instead of printing it. */
export function withLog<T>(listener: (line: string) => void, act: () => Promise<T>): Promise<T> {
  return listeners.run(listener, act);
}

/** Puts a resource's name before each line that is logged during an act; `undefined`: none is known. */
export function withName<T>(name: string | undefined, act: () => Promise<T>): Promise<T> {
  return names.run(name, act);
}
