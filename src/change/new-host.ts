import type { Connection } from "../ssh/connection.js";
import type { World } from "./request.js";

/**
 * Retries a refused login as often as a failed dial: on a new machine, sshd may answer before the keys are installed.
 * With a password there is no retry: sshd counts a wrong one, and the host may lock the user out.
 */
export function expectKeys(world: World, { password }: Connection): World {
  return { ...world, dialing: { ...world.dialing, forgivesRefusal: password === undefined } };
}
