import { findStateFile } from "./state-size";

/** Where the engine keeps the states of a measurement. */
export interface StateBackend {
  /** For PULUMI_BACKEND_URL, which has precedence over the project's own. `undefined`: the project's own. */
  readonly url: string | undefined;
  /** Returns the path of a file with a stack's state, as Pulumi wrote it. */
  findState(stack: string): Promise<string>;
  /** How many bytes it has logged so far for what it was given. `undefined`: it does not count. */
  countWritten(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** The backend of `openStack`: a folder. */
export function keepInFiles(directory: string): StateBackend {
  return {
    url: undefined,
    findState: async (stack) => findStateFile(directory, stack),
    countWritten: async () => undefined,
    close: async () => undefined,
  };
}
