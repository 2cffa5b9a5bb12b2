import { KnockgateError } from "../errors.js";
import { checkDepth } from "./check-depth.js";

/**
 * Reads JSON.
 *
 * @param name what is read, for messages
 * @throws KnockgateError `ARGUMENTS_INVALID`: Node's own message quotes the text, the knock and all
 */
export function parseJson(name: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new KnockgateError("ARGUMENTS_INVALID", `${name}: it is not valid JSON`);
  }
  checkDepth(name, value);
  return value;
}
