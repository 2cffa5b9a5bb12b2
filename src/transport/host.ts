/** What a command on a host left: its exit code and all it wrote. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An SSH connection to a host. */
export interface HostConnection {
  /**
   * Runs a program for POSIX sh as root on the host; the program's `$1` is sshd's SSH_CONNECTION. It travels on
   * standard input, never as an argument.
   *
   * @throws KnockgateError `UNREACHABLE` when the connection is lost or `timeoutMs` is over.
   */
  run(program: string, timeoutMs: number): Promise<CommandResult>;
  close(): void;
}

/** What a knock sends, in order. */
export interface KnockStep {
  readonly tcp?: number | undefined;
  readonly udp?: number | undefined;
  readonly udpPayloadBytes?: number | undefined;
  readonly icmpPayloadBytes?: number | undefined;
}

/** What came back from a port: a connection, a refusal, or nothing within the time. */
export type PortAnswer = "open" | "refused" | "silent";

/** A place from which packets leave for a host. */
export interface Vantage {
  /** For messages. */
  readonly name: string;
  /** Its own address on the way to the host, where it is known. */
  readonly address?: string | undefined;
  /** Sends the steps in order, each once. */
  knock(steps: readonly KnockStep[]): Promise<void>;
  probePort(port: number, timeoutMs: number): Promise<PortAnswer>;
}

/** One address of a host, and what can be done from here to it; it is named by that address and the port. */
export interface Route extends Vantage {
  /** Opens a fresh SSH connection; each one is a new TCP connection that shares nothing with another. */
  connect(timeoutMs: number): Promise<HostConnection>;
}
