import { encode } from "uqr";
import { KnockgateError } from "../../../errors.js";
import type { Profile } from "../../../knock/clients/profile.js";

/** How many bytes the largest QR code holds at the level of correction L (ISO/IEC 18004, version 40). */
const mostBytes = 2_953;

/** Light modules around a code, without which a camera does not find it (ISO/IEC 18004, 6.3.8). */
const quietZone = 4;

/** For each two modules of a column, the upper and the lower one: dark ones are left empty. */
const halfBlocks = { "light light": "█", "light dark": "▀", "dark light": "▄", "dark dark": " " } as const;

/**
 * Writes what the code holds: the profile as one line of JSON. All of it is ASCII, because readers do not agree on the
 * encoding of other signs. Secret.
 */
export function writePictureText(profile: Profile): string {
  return JSON.stringify(profile).replace(
    /[^ -~]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Draws a text as a QR code, in lines of half blocks: light on a dark ground. Secret.
 *
 * @param name the profile's name, for messages
 * @param columns how many signs fit in a line; `undefined`: any number
 * @throws KnockgateError `ARGUMENTS_INVALID` when the text is too long, or the terminal too narrow
 */
export function drawPicture(name: string, text: string, columns: number | undefined): readonly string[] {
  const advice = "choose one gate by --gate, or export it as a file";
  if (text.length > mostBytes)
    refuse(name, `it has ${text.length} bytes, and a QR code holds at most ${mostBytes}: ${advice}`);
  const { size, data } = encode(text, { ecc: "L", boostEcc: true, border: quietZone });
  if (columns !== undefined && columns < size)
    refuse(
      name,
      `its QR code is ${size} columns wide, and the terminal ${columns}: make it wider, ${advice}`,
    );
  const nameModule = (row: number, column: number) => (data[row]?.[column] === true ? "dark" : "light");
  return Array.from({ length: Math.ceil(size / 2) }, (_line, line) =>
    Array.from(
      { length: size },
      (_sign, column) => halfBlocks[`${nameModule(2 * line, column)} ${nameModule(2 * line + 1, column)}`],
    ).join(""),
  );
}

function refuse(name: string, why: string): never {
  throw new KnockgateError("ARGUMENTS_INVALID", `profile ${name}: ${why}. Nothing was drawn.`);
}
