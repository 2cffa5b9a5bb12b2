import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/**
 * Stands between this process and ssh. It holds a private folder (mode 0700) for the control socket and, where the
 * login has them, the key and the password. When ssh ends, or when this process ends in whatever way, SIGKILL
 * included, the keeper's standard input ends: it then ends ssh and removes the folder. Files come into the folder only
 * after the keeper has started. A word on standard input starts ssh. At the end, ssh's log goes to standard output.
 *
 * Before that it writes to nothing that may be gone: a broken pipe would end it, too.
 *
 * The number of ssh's process stands in `pid`: the askpass program answers that process only.
 */
const script = `
dir=$1
shift
trap : INT HUP TERM
exec 3<&0 4>&1
if IFS= read -r go; then
  "$@" </dev/null 3<&- 4>&- &
  ssh=$!
  echo "$ssh" >"$dir/pid"
  exec >/dev/null 2>&1
  { read -r end <&3; kill "$ssh"; } &
  watch=$!
  while :; do
    wait "$ssh"
    code=$?
    kill -0 "$ssh" || break
  done
  kill "$watch"
fi
log=$(cat "$dir/log")
rm -rf "$dir"
printf "%s\\n" "$log" >&4
exit "\${code:-0}"
`;

/** A folder and a keeper that waits to start ssh. */
export interface Keeper {
  readonly folder: string;
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Writes a file that nobody else can read. */
  write(name: string, text: string, mode?: number): Promise<string>;
  /** Starts ssh. */
  start(): void;
  /** Ends ssh, and removes the folder. */
  end(): void;
}

/**
 * Starts a keeper.
 *
 * @param list returns the arguments of ssh for the folder
 * @param isAlone whether ssh has no terminal to ask on
 */
export function startKeeper(
  list: (folder: string) => readonly string[],
  environment: (folder: string) => NodeJS.ProcessEnv,
  isAlone: boolean,
): Keeper {
  const folder = mkdtempSync(join(findBase(), "knockgate-ssh-"));
  const keeper = spawn("sh", ["-c", script, "sh", folder, "ssh", ...list(folder)], {
    stdio: ["pipe", "pipe", "pipe"],
    // In a session of its own there is no terminal that ssh could ask on (setsid(2)).
    detached: isAlone,
    env: { ...process.env, ...environment(folder), LC_ALL: "C" },
  });
  keeper.on("error", () => undefined); // the close event that follows says more
  keeper.stdin.on("error", () => undefined);
  return {
    folder,
    process: keeper,
    write: async (name, text, mode = 0o600) => {
      const path = join(folder, name);
      await writeFile(path, text, { mode, flag: "wx" });
      return path;
    },
    start: () => void keeper.stdin.write("go\n"),
    end: () => keeper.stdin.destroy(),
  };
}

/**
 * The path goes into ssh's options and into a Unix socket's address of at most 104 bytes (unix(7)), to which ssh adds 17
 * for a moment.
 */
function findBase(): string {
  const bases = [process.env["XDG_RUNTIME_DIR"] ?? "", tmpdir()];
  return bases.find((base) => /^\/[\w./-]{1,60}$/.test(base)) ?? "/tmp";
}
