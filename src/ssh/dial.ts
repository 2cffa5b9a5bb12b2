import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { KnockgateError } from "../errors.js";
import { type Credentials, openSsh, type SshClient } from "./client.js";
import type { Login } from "./connection.js";
import { startClock } from "./retry.js";

/**
 * Resolves a name on this machine, and keeps the resolver's order.
 *
 * @throws KnockgateError `UNREACHABLE` when the name has no address
 */
export async function findAddresses(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: true }).catch((cause: unknown) => {
    throw new KnockgateError("UNREACHABLE", `${host}: its name has no address`, { cause });
  });
  return found.map(({ address }) => address);
}

/**
 * Tries the choices in order until one succeeds. Only `UNREACHABLE` leads to the next one; the last error is thrown.
 */
export async function tryEach<T, R>(choices: readonly T[], attempt: (choice: T) => Promise<R>): Promise<R> {
  let cause: unknown = new KnockgateError("UNREACHABLE", "there is no address to try");
  for (const choice of choices) {
    try {
      return await attempt(choice);
    } catch (error) {
      if (!(error instanceof KnockgateError) || error.code !== "UNREACHABLE") throw error;
      cause = error;
    }
  }
  throw cause;
}

/** Who logs in where, for messages. */
export function nameLogin({ user, host, port }: Login, address = host): string {
  const where = address === host ? "" : ` (${address})`;
  return `${user}@${host}:${port}${where}`;
}

/** Opens a fresh SSH connection from this machine to one address. */
export async function dialSsh(
  credentials: Credentials,
  address: string,
  name: string,
  timeoutMs: number,
): Promise<SshClient> {
  const leftMs = startClock(timeoutMs);
  const socket = await dialTcp(address, credentials.login.port, name, timeoutMs);
  // Many small messages go back and forth: Nagle's algorithm would hold each until the other side's delayed ACK.
  socket.setNoDelay(true);
  return openSsh(credentials, socket, name, leftMs());
}

function dialTcp(address: string, port: number, name: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const fail = (why: string, cause?: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new KnockgateError("UNREACHABLE", `${name}: ${why}`, { cause }));
    };
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => fail(`no answer within ${Math.round(timeoutMs) / 1_000} s`), timeoutMs);
    const onError = (error: Error): void => fail(error.message, error);
    socket.once("error", onError);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      resolve(socket);
    });
  });
}
