import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../../lab/command";
import { waitUntil } from "./deployment";

/** A real ssh-agent. */
export interface Agent {
  readonly socket: string;
  /** Adds the key of a file, and the certificate beside it if there is one. */
  add(file: string): Promise<void>;
  close(): Promise<void>;
}

let count = 0;

export async function startAgent(directory: string): Promise<Agent> {
  count += 1;
  const socket = join(directory, `agent-${count}`);
  const child: ChildProcess = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  await waitUntil("the agent listens", 10_000, async () => existsSync(socket));
  return {
    socket,
    add: async (file) => {
      await runCommand(["env", `SSH_AUTH_SOCK=${socket}`, "ssh-add", "-q", file]);
    },
    close: async () => {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

/** Makes a key with ssh-keygen. Returns its file. */
export async function makeKeyFile(
  directory: string,
  { type = "ed25519", form = "RFC4716", passphrase = "" } = {},
): Promise<string> {
  count += 1;
  const file = join(directory, `key-${count}`);
  const size = type === "rsa" ? ["-b", "2048"] : [];
  await runCommand(["ssh-keygen", "-q", "-t", type, ...size, "-m", form, "-N", passphrase, "-f", file]);
  return file;
}
