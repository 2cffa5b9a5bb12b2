import { createHash } from "node:crypto";

/**
 * The stack of a host: the one whose hash with the host's name is the highest (rendezvous hashing). Only these names
 * decide, so a host that is added or removed moves no other.
 */
export function stackOf(host: string, stacks: readonly string[]): string {
  const weigh = (stack: string) => createHash("sha256").update(`${stack}/${host}`).digest("hex");
  return stacks.reduce((best, stack) => (weigh(stack) > weigh(best) ? stack : best));
}
