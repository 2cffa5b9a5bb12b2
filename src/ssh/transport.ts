import type { SshClient } from "./client.js";
import type { CutOff } from "./host.js";
import type { ResolvedLogin } from "./resolve.js";

/** Opens fresh SSH connections by one login. Each is a new TCP connection, which shares nothing with others. */
export interface Dialer<C extends SshClient> {
  readonly login: ResolvedLogin;
  /**
   * Finds the host's addresses that it can dial one by one, in the resolver's order.
   *
   * @throws KnockgateError `UNREACHABLE` when the name has no address
   */
  findAddresses(): Promise<Addresses>;
  /** Dials one of these addresses. */
  dial(address: string, name: string, timeoutMs: number): Promise<C>;
  /** Dials the host by its name, at whichever address answers. */
  dialHost(name: string, timeoutMs: number): Promise<C>;
  /** Dials an address from the machine at the other end of `carrier`, which nothing else uses afterwards. */
  dialThrough(carrier: C, address: string, name: string, timeoutMs: number): Promise<C>;
}

export interface Addresses {
  readonly addresses: readonly string[];
  /** Further addresses, which it can't dial one by one. */
  readonly cutOff: readonly CutOff[];
}

/**
 * Reads what a login needs, before anything is sent.
 *
 * @param field the login's name in the arguments, for messages
 * @throws KnockgateError `HOST_KEY_UNKNOWN`, `ARGUMENTS_INVALID`, `HOST_UNFIT`
 */
export type SshTransport<C extends SshClient> = (login: ResolvedLogin, field: string) => Promise<Dialer<C>>;
