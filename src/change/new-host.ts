import type { Connection } from "../ssh/connection.js";
import type { ChangeContext } from "./request.js";

/**
 * Retries a refused login as often as a failed dial: on a new machine, sshd may answer before the keys are installed.
 * With a password there is no retry: sshd counts a wrong one, and the host may lock the user out.
 */
export function expectKeys(context: ChangeContext, { password }: Connection): ChangeContext {
  return { ...context, dialing: { ...context.dialing, forgivesRefusal: password === undefined } };
}
