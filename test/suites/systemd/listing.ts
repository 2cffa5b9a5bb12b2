import type { BootedHost } from "../../../lab/booted-host";

/**
 * All files below some folders: kind, mode, path, and a link's target or a file's digest. Leaves out the random seed,
 * which a reboot changes.
 */
export async function listEverything(host: BootedHost, folders: readonly string[]): Promise<string> {
  const program = `find "$@" -xdev -printf '%y %m %p %l\\n' | sort; find "$@" -xdev -type f -exec sha256sum {} + | sort`;
  const { stdout } = await host.run(["sh", "-c", program, "sh", ...folders]);
  return stdout.replace(/^.*\/random-seed .*\n|^.*\/random-seed\n/gm, "");
}

/** Knockgate's files below /var/lib, in the form of test/suites/host/inspection.ts. */
export async function listLibrary(host: BootedHost): Promise<readonly string[]> {
  const find = ["find", "/var/lib/knockgate", "-printf", "%y %#m %p\\n"];
  const { stdout } = await host.run(find, { check: false });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "ID").replace(/^l \d+/, "l"))
    .sort();
}
