import type { Connection } from "../transport/connection.js";
import type { World } from "./change.js";

/**
 * Lets a refused login be tried again as often as a refused dial: on a machine that was made just now sshd answers before
 * its keys are put there. A password is tried once all the same: a wrong one counts, and may lock its user out.
 */
export function expectKeys(world: World, { password }: Connection): World {
  return { ...world, dialing: { ...world.dialing, forgivesRefusal: password === undefined } };
}
