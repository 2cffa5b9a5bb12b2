import { KnockgateError } from "../errors.js";
import { withName } from "./log.js";

/**
 * Does what an engine asks for on behalf of a resource: what is logged meanwhile begins with the resource's name, and
 * what is thrown says itself once.
 *
 * @param name the resource's, if its state knows it
 */
export async function actAtEdge<T>(name: string | undefined, act: () => Promise<T>): Promise<T> {
  try {
    return await withName(name, act);
  } catch (error) {
    throw error instanceof KnockgateError ? keepShort(error, name) : error;
  }
}

/**
 * Of a failed check, diff, read or delete, Pulumi's servers of providers print the error and its stack to their standard
 * error, which the engine shows beside the message that it is told (in cmd/dynamic-provider and provider/server, 3.248).
 */
function keepShort(error: KnockgateError, name = "knockgate"): KnockgateError {
  const hidden = { enumerable: false, configurable: true, writable: true };
  return Object.defineProperties(error, {
    toString: { ...hidden, value: () => name },
    stack: { ...hidden, value: `failed with ${error.code}; the error says why` },
  });
}
