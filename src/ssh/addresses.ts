import { lookup } from "node:dns/promises";
import { KnockgateError } from "../errors.js";

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
