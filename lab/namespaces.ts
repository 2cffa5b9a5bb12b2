import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { commandEnvironment } from "./command";
import { letParentEnd } from "./parent";

const initFile = join(__dirname, "init.sh");
const startLimitMs = 20_000;
const endLimitMs = 5_000;

/** A machine's namespaces, alive as long as its first process. */
export interface Namespaces {
  readonly name: string;
  /** The first process, by its pid in the outside. */
  readonly pid: number;
  /** The output of the setup, such as a host key. */
  readonly told: string;
  /** All stderr output of the machine's own processes so far. */
  log(): string;
  /** Resolves when no process is left in there. */
  end(): Promise<void>;
}

/** Makes a machine's namespaces. `setup` is a file beside this one, which init.sh sources, and its arguments. */
export function makeNamespaces(name: string, setup: readonly string[] = []): Promise<Namespaces> {
  const [file, ...rest] = setup;
  const first = ["sh", initFile, name, ...(file === undefined ? [] : [join(__dirname, file), ...rest])];
  // Its own session, so that Ctrl-C reaches only the lab's process, which then closes the lab or ends.
  const child = spawn(
    "unshare",
    [
      "--net",
      "--mount",
      "--propagation",
      "private",
      "--pid",
      "--uts",
      "--fork",
      "--kill-child",
      "--",
      ...first,
    ],
    { env: commandEnvironment, stdio: ["pipe", "pipe", "pipe"], detached: true },
  );
  let log = "";
  child.stdin.on("error", () => undefined);
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  return new Promise((resolve, reject) => {
    const fail = (what: string, cause?: unknown) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`lab: ${name} ${what}: ${log.trim()}`, { cause }));
    };
    const timer = setTimeout(() => fail(`was not ready within ${startLimitMs} ms`), startLimitMs);
    child.on("error", (cause) => fail("could not be started", cause));
    child.on("close", (code) => fail(`ended with code ${code} before it was ready`));
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const [, pid, told = ""] = /^ready (\d+) (.*)\n/m.exec(output) ?? [];
      if (pid === undefined) return;
      clearTimeout(timer);
      child.removeAllListeners("close");
      letParentEnd(child);
      resolve({ name, pid: Number(pid), told, log: () => log, end: () => end(child) });
    });
  });
}

/** unshare ends after the machine's first process, which ends only after all others (pid_namespaces(7)). */
function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), endLimitMs);
    child.ref();
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.stdin?.end();
  });
}
