import { UsageError } from "../framework/command.js";

/**
 * Reads a port from the command line; `undefined` when none is given.
 *
 * @throws UsageError
 */
export function readPort(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new UsageError(`${name} must be a number from 1 to 65535`);
}
