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
   * @throws KnockgateError `UNREACHABLE` when the connection is lost or `timeoutMs` is over; `NOT_ALLOWED` when the
   * login can't become root; `HOST_FAILED` when a signal ended the program.
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

/** A place that packets leave from, towards one address of a host. */
export interface Vantage {
  /** The address and port, and the bastion on the way, for messages. */
  readonly name: string;
  /** Where it is known, the address that the packets leave with. */
  readonly address?: string | undefined;
  /**
   * Sends the steps in order, each once.
   *
   * @throws KnockgateError `UNREACHABLE`
   */
  knock(steps: readonly KnockStep[]): Promise<void>;
  /** Sends a SYN and tells what came back: any answer says that the packet arrived. */
  probePort(port: number, timeoutMs: number): Promise<PortAnswer>;
}

/** A vantage from which the host can be logged in to, too. */
export interface Route extends Vantage {
  /** Opens a fresh SSH connection; each one is a new TCP connection that shares nothing with another. */
  connect(timeoutMs: number): Promise<HostConnection>;
}

/** The ways to a host: one for each address of its name, in the resolver's order. */
export interface Passage {
  readonly routes: readonly Route[];
  /** Lets go of what was kept ready; connections to the host go on. */
  close(): void;
}

/** Another machine that packets leave from. */
export interface RemoteVantage extends Vantage {
  /** That machine's own address on the way to the host. */
  readonly address: string;
  close(): void;
}
