import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../lab/command";
import { makeDirectory, removeDirectory } from "../../lab/directory";
import type { StateBackend } from "./state-backend";

const versions = "/usr/lib/postgresql";
/** Made by Debian's package. PostgreSQL does not run as root. */
const user = "postgres";
const startLimitMs = 30_000;

/**
 * Starts a PostgreSQL server of this machine's own, with an empty database that Pulumi keeps its states in. It listens
 * only on a socket in a folder of its own, which only root and the server's user can enter; so it needs no password.
 */
export async function startPostgres(): Promise<StateBackend> {
  const programs = findPrograms();
  const folder = makeDirectory();
  let server: ChildProcess | undefined;
  const close = async () => {
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const ended = once(server, "exit");
      server.kill("SIGINT"); // ends its sessions and stops (postgres(1))
      await ended;
    }
    removeDirectory(folder);
  };
  try {
    await runCommand(["chown", `${user}:${user}`, folder]);
    const data = join(folder, "data");
    const initdb = [join(programs, "initdb"), "-D", data, "--auth=trust", "--encoding=UTF8", "--locale=C"];
    await runCommand(["env", `--chdir=${folder}`, ...asUser, ...initdb, "--no-sync"], { timeoutMs: 120_000 });
    const [tool = "", ...args] = [...asUser, join(programs, "postgres"), "-D", data, "-k", folder];
    server = spawn(tool, [...args, "-c", "listen_addresses="], { cwd: folder, stdio: "ignore" });
    await waitForAnswer(folder, server);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: `postgres:///postgres?host=${encodeURIComponent(folder)}&user=${user}&sslmode=disable`,
    findState: async (stack) => {
      const key = `%/.pulumi/stacks/knockgate-lab/${stack}.json`;
      const base64 = await ask(folder, `SELECT data->>'data' FROM pulumi_state WHERE key LIKE '${key}'`);
      const file = join(folder, `${stack}.json`);
      writeFileSync(file, Buffer.from(base64, "base64"));
      return file;
    },
    countWritten: async () => Number(await ask(folder, "SELECT pg_current_wal_insert_lsn() - '0/0'")),
    close,
  };
}

const asUser = ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", "--"];

function findPrograms(): string {
  const found = existsSync(versions) ? readdirSync(versions) : [];
  const folders = found.map((version) => join(versions, version, "bin"));
  const programs = folders.find((folder) => existsSync(join(folder, "initdb")));
  if (programs !== undefined) return programs;
  throw new Error(`${versions} has no PostgreSQL server -> node tools/setup.mjs --scale`);
}

async function waitForAnswer(folder: string, server: ChildProcess): Promise<void> {
  const until = performance.now() + startLimitMs;
  while (!(await answers(folder))) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended with ${server.exitCode}`);
    if (performance.now() > until) throw new Error(`PostgreSQL did not answer within ${startLimitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function answers(folder: string): Promise<boolean> {
  return ask(folder, "SELECT 1").then(
    () => true,
    () => false,
  );
}

async function ask(folder: string, query: string): Promise<string> {
  const psql = ["psql", "-h", folder, "-U", user, "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-Atc", query];
  return (await runCommand(psql)).stdout.trim();
}
