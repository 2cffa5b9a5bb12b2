import type { KnockStep, PortAnswer } from "../knock/packet.js";

/** The result of a command on a host: its exit code and all its output. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program for a host, in POSIX sh. */
export interface Program {
  /**
   * Functions that the commands call. A shell that was last sent the same ones is not sent them again. Default: none.
   */
  readonly functions?: string;
  /**
   * Whole lines. They have no standard input, and `$1` is sshd's SSH_CONNECTION. The variables that they set end with
   * them.
   */
  readonly commands: string;
}

/** An SSH connection to a host. */
export interface HostConnection {
  /**
   * Runs a program as root on the host. The program is sent on standard input, never as an argument.
   *
   * @throws KnockgateError `UNREACHABLE` when the connection is lost or `timeoutMs` is over; `NOT_ALLOWED` when the
   *   login can't become root; `HOST_UNFIT` when the host has no fitting shell or runs no command; `HOST_FAILED` when
   *   the shell did not start, or a signal ended it.
   */
  run(program: Program, timeoutMs: number): Promise<CommandResult>;
  close(): void;
}

/** A place that sends packets to one address of a host. */
export interface Prober {
  /** The address and port, and the bastion on the way, for messages. */
  readonly name: string;
  /** The source address of the packets, where it is known. */
  readonly address?: string | undefined;
  /** The host's address that the packets go to, where it is known. */
  readonly target?: string | undefined;
  /**
   * Sends the steps in order, each once.
   *
   * @throws KnockgateError `UNREACHABLE`
   */
  knock(steps: readonly KnockStep[]): Promise<void>;
  /** Sends a SYN and reports the answer. Any answer means that the packet arrived. */
  probePort(port: number, timeoutMs: number): Promise<PortAnswer>;
  /** Whether the address answers an echo request. False where none can be sent. */
  ping?(timeoutMs: number): Promise<boolean>;
}

/** A prober that can also open SSH connections to the host. */
export interface Route extends Prober {
  /** Opens a fresh SSH connection: a new TCP connection, which shares nothing with others. */
  connect(timeoutMs: number): Promise<HostConnection>;
}

/** An address of a host that packets from a place can't reach. */
export interface CutOff {
  readonly address: string;
  /** Completes a sentence that ends with "because". */
  readonly why: string;
}

/** The routes to a host: one for each address of its name, in the resolver's order. */
export interface RouteSet {
  readonly routes: readonly Route[];
  /** Addresses of its name that have no route. Default: none. */
  readonly cutOff?: readonly CutOff[];
  /** Closes what was kept ready. Connections to the host stay open. */
  close(): void;
}

/** Another machine that sends packets to the host. */
export interface RemoteProber extends Prober {
  /** That machine's own address on the way to the host. */
  readonly address: string;
  /** Probers from that machine to the host's other addresses. */
  readonly others: readonly Prober[];
  /** The host's addresses that that machine has no route to. */
  readonly cutOff: readonly CutOff[];
  close(): void;
}
