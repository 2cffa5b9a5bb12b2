/** What a command on a host left: its exit code and all it wrote. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a host shall do, for POSIX sh. */
export interface Program {
  /** Functions that the commands call. A shell that knows them already is not sent them again. Default: none. */
  readonly functions?: string;
  /** Whole lines. They have no standard input, and `$1` is sshd's SSH_CONNECTION; what they set ends with them. */
  readonly commands: string;
}

/** An SSH connection to a host. */
export interface HostConnection {
  /**
   * Runs a program as root on the host. It travels on standard input, never as an argument.
   *
   * @throws KnockgateError `UNREACHABLE` when the connection is lost or `timeoutMs` is over; `NOT_ALLOWED` when the
   * login can't become root; `HOST_FAILED` when a signal ended the shell that ran it.
   */
  run(program: Program, timeoutMs: number): Promise<CommandResult>;
  close(): void;
}

/** One packet of a knock. It has the shape of a policy's step, which this folder does not import. */
export type KnockStep =
  | { readonly kind: "tcp"; readonly port: number }
  | { readonly kind: "udp"; readonly port: number; readonly payloadBytes?: number | undefined }
  | { readonly kind: "icmpEcho"; readonly payloadBytes: number };

/** What came back from a port: a connection, a refusal, or nothing within the time. */
export type PortAnswer = "open" | "refused" | "silent";

/** A place that packets leave from, towards one address of a host. */
export interface Vantage {
  /** The address and port, and the bastion on the way, for messages. */
  readonly name: string;
  /** Where it is known, the address that the packets leave with. */
  readonly address?: string | undefined;
  /** Where it is known, the host's address that they go to. */
  readonly target?: string | undefined;
  /**
   * Sends the steps in order, each once.
   *
   * @throws KnockgateError `UNREACHABLE`
   */
  knock(steps: readonly KnockStep[]): Promise<void>;
  /** Sends a SYN and tells what came back: any answer says that the packet arrived. */
  probePort(port: number, timeoutMs: number): Promise<PortAnswer>;
  /** Whether the address answers an echo request. Where none can be sent, it does not. */
  ping?(timeoutMs: number): Promise<boolean>;
}

/** A vantage from which the host can be logged in to, too. */
export interface Route extends Vantage {
  /** Opens a fresh SSH connection; each one is a new TCP connection that shares nothing with another. */
  connect(timeoutMs: number): Promise<HostConnection>;
}

/** An address of a host that packets from a place don't get to. */
export interface CutOff {
  readonly address: string;
  /** The rest of a sentence that ends with "because". */
  readonly why: string;
}

/** The ways to a host: one for each address of its name, in the resolver's order. */
export interface Passage {
  readonly routes: readonly Route[];
  /** The other addresses of its name. Default: none. */
  readonly cutOff?: readonly CutOff[];
  /** Lets go of what was kept ready; connections to the host go on. */
  close(): void;
}

/** Another machine that packets leave from. */
export interface RemoteVantage extends Vantage {
  /** That machine's own address on the way to the host. */
  readonly address: string;
  /** From that machine to the host's other addresses. */
  readonly others: readonly Vantage[];
  /** Those of them that it has no way to. */
  readonly cutOff: readonly CutOff[];
  close(): void;
}
