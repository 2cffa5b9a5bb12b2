import type { Readable } from "node:stream";
import type { KnockgateError } from "../errors.js";

/** An SSH connection, open or lost. */
export interface SshLink {
  /** Who is logged in where, for messages. */
  readonly name: string;
  /** Why it was lost, if that is known. */
  whyLost(): string | undefined;
  /** Calls the listener when the connection ends. Returns the function that takes the listener back. */
  onClose(listener: () => void): () => void;
}

/** A connection on which commands run. */
export interface CommandLink extends SshLink {
  /**
   * Starts a command in the login shell of the other side.
   *
   * @throws KnockgateError `HOST_UNFIT` when the other side runs no command, `UNREACHABLE` when the connection is lost
   */
  start(command: string): Promise<RemoteCommand>;
}

/** A command that runs on the other side. */
export interface RemoteCommand {
  readonly stdout: Readable;
  readonly stderr: Readable;
  write(input: string): void;
  /** Sends the last input. */
  end(input?: string): void;
  /** Gives the command up. */
  close(): void;
  /** Calls the listener when the command has ended and all its output has come. */
  onEnd(listener: (end: CommandEnd) => void): void;
}

/** How a command ended: its exit code, or the signal that ended it, or neither when the connection was lost. */
export interface CommandEnd {
  readonly code?: number | undefined;
  readonly signal?: string | undefined;
  /** Why it never began, where that is known. */
  readonly fault?: KnockgateError | undefined;
}
