import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findRootfs, type RootfsKind } from "../../../tools/setup/rootfs-place.mjs";

/** An ssh(1) of the tests: it comes first in PATH, and reads a configuration of the tests' own. */
export interface TestSsh {
  readonly folder: string;
  readonly knownHosts: string;
  /** Replaces the configuration. */
  configure(text: string): void;
  /** Puts PATH back. */
  close(): void;
}

/**
 * Puts an ssh in front of PATH that reads a configuration of its own. ssh finds the home folder in the list of users,
 * whatever HOME says, so the configuration could not be replaced in another way.
 *
 * @param suite the Debian whose ssh runs. Default: this machine's.
 */
export function installSsh(directory: string, suite?: RootfsKind): TestSsh {
  const folder = mkdtempSync(join(directory, "ssh-"));
  const bin = join(folder, "bin");
  const config = join(folder, "config");
  const knownHosts = join(folder, "known_hosts");
  mkdirSync(bin);
  writeFileSync(join(bin, "ssh"), `#!/bin/sh\nexec ${listCommand(suite)} -F ${config} "$@"\n`);
  chmodSync(join(bin, "ssh"), 0o755);
  writeFileSync(knownHosts, "");
  const before = process.env["PATH"] ?? "";
  process.env["PATH"] = `${bin}:${before}`;
  const configure = (text: string): void => {
    writeFileSync(
      config,
      `${text}\nHost *\n  UserKnownHostsFile ${knownHosts}\n  GlobalKnownHostsFile /dev/null\n`,
    );
  };
  configure("");
  return {
    folder,
    knownHosts,
    configure,
    close: () => {
      process.env["PATH"] = before;
    },
  };
}

/** A program of another Debian runs by that Debian's own loader, with its libraries. */
function listCommand(suite: RootfsKind | undefined): string {
  if (suite === undefined) return "/usr/bin/ssh";
  const root = findRootfs(suite);
  const libraries = ["lib", "usr/lib"].map((path) => `${root}/${path}/x86_64-linux-gnu`).join(":");
  return `${root}/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path ${libraries} ${root}/usr/bin/ssh`;
}
