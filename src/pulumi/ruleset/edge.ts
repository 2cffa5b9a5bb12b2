import { KnockgateError } from "../../errors.js";
import { withName } from "../log.js";

/**
 * Runs an engine's request for a resource. Lines logged meanwhile begin with the resource's name, and an error is shown
 * only once.
 *
 * @param name the resource's name, if its state has it
 */
export async function actAtEdge<T>(name: string | undefined, act: () => Promise<T>): Promise<T> {
  try {
    return await withName(name, act);
  } catch (error) {
    throw error instanceof KnockgateError ? keepShort(error, name) : error;
  }
}

/**
 * Shortens an error's stack. When a check, diff, read or delete fails, Pulumi's provider servers print the error and
 * its stack to standard error, and the engine shows that beside the message that it gets (cmd/dynamic-provider and
 * provider/server, 3.248).
 */
function keepShort(error: KnockgateError, name = "knockgate"): KnockgateError {
  const hidden = { enumerable: false, configurable: true, writable: true };
  return Object.defineProperties(error, {
    toString: { ...hidden, value: () => name },
    stack: { ...hidden, value: `failed with ${error.code}; the error says why` },
  });
}
