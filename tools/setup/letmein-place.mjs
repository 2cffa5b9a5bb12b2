// The bench imports this, too: it only looks, and prints nothing.
import { join } from "node:path";
import { cacheFolder } from "./cache.mjs";

/** The release that figures are measured against: one whose locked dependencies crates.io still has. */
export const letmeinVersion = "12.5.0";
/** Where letmein is kept between runs. It exists only when it is complete. */
export const letmeinFolder = join(cacheFolder, `letmein-${letmeinVersion}-${process.arch}`);
/** Its daemon, the daemon's firewall part, and its client. */
export const letmeinPrograms = ["letmeind", "letmeinfwd", "letmein"];

/**
 * Names one of its programs.
 * @param {string} program
 */
export function locateLetmein(program) {
  return join(letmeinFolder, "bin", program);
}
