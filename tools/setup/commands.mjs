import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian keeps administrators' commands here. These folders are not in everyone's PATH. */
export const administratorFolders = ["/usr/sbin", "/sbin"];

/**
 * Finds every executable of this name, in the order of PATH and then of `folders`.
 * @param {string} name
 * @param {readonly string[]} [folders] searched after PATH
 * @returns {string[]} absolute paths
 */
export function findCommands(name, folders = []) {
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder.startsWith("/"));
  return [...new Set([...path, ...folders])].map((folder) => join(folder, name)).filter(isExecutable);
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
