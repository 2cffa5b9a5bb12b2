import { KnockgateError } from "../../errors.js";
import { checkDepth } from "./check-depth.js";

/**
 * Parses JSON.
 *
 * @param name the source's name, for messages
 * @throws KnockgateError `ARGUMENTS_INVALID`, without Node's own message: that quotes the text, and so the knock
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
