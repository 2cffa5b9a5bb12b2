import type { ShellSession } from "./shell-session.js";

/** An SSH connection to one machine. */
export interface SshClient {
  /** Who is logged in where, for messages. */
  readonly name: string;
  /**
   * Prepares a conversation with a command that the login shell there runs. `hint` is sent when it is silent at first.
   */
  converse(command: string, hint: string): ShellSession;
  /** Quotes output of the machine, without the password that was sent to it. */
  quote(said: string): string;
  /** Calls the listener once, whichever side ended the connection. */
  onClose(listener: () => void): void;
  close(): void;
}
