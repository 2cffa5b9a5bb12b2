import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../../lab/command";
import type { Declared } from "./subjects";

export interface Login {
  readonly login: Declared["login"];
  /** One line. */
  readonly publicKey: string;
}

/** Makes a key that is encrypted by ssh-keygen's defaults: as a careful user has it, and slow to open. */
export async function makeLogin(directory: string): Promise<Login> {
  const file = join(directory, "id_scale");
  const privateKeyPassword = "only for the measurement";
  await runCommand([
    "ssh-keygen",
    "-q",
    "-t",
    "ed25519",
    "-N",
    privateKeyPassword,
    "-C",
    "scale",
    "-f",
    file,
  ]);
  return {
    login: { user: "ops", privateKey: await readFile(file, "utf8"), privateKeyPassword },
    publicKey: await readFile(`${file}.pub`, "utf8"),
  };
}
