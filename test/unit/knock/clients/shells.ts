import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { TokenShell } from "../../../../src/knock/clients/token-shell";

/** Where a tool is; `undefined`: it is not installed. */
export function findInPath(tool: string): string | undefined {
  const places = (process.env["PATH"] ?? "").split(delimiter).map((place) => join(place, tool));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * The environment with which bash takes the time from `date`, which a test can replace. A bash that another shell did not
 * start, and whose input is a socket, would read ~/.bashrc instead.
 */
export const withoutClock = { BASH_ENV: join(__dirname, "without-clock.bash"), SHLVL: "2" };

const inCI = process.env["CI"] !== undefined;

const all: readonly [name: string, words: readonly string[], dialect: TokenShell][] = [
  ["bash", ["bash"], "bash"],
  ["bash as a POSIX sh", ["bash", "--posix"], "sh"],
  ["dash", ["dash"], "sh"],
  ["busybox", ["busybox", "sh"], "sh"],
];

/** The shells that programs for tokens are for. One that this machine lacks is left out. CI has them all. */
export const shells = all.filter(([, [tool = ""]]) => inCI || findInPath(tool) !== undefined);
