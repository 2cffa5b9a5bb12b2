import { execFile } from "node:child_process";
import { KnockgateError } from "../../errors.js";

/** This machine's ssh(1). */
export interface SshProgram {
  /** As in its version: 9.2 is `[9, 2]`. */
  readonly version: readonly [major: number, minor: number];
}

/** The oldest OpenSSH that the tests run against. */
const oldest = [8, 2] as const;

/** By PATH: the first ssh there is asked once. */
const found = new Map<string, Promise<SshProgram>>();

/**
 * Asks ssh(1) for its version.
 *
 * @throws KnockgateError `HOST_UNFIT` when there is none, or one that does not fit
 */
export function findSsh(): Promise<SshProgram> {
  const path = process.env["PATH"] ?? "";
  const known = found.get(path);
  if (known !== undefined) return known;
  const asking = askVersion();
  found.set(path, asking);
  asking.catch(() => found.delete(path));
  return asking;
}

export function isAtLeast(
  { version: [major, minor] }: SshProgram,
  least: readonly [number, number],
): boolean {
  return major > least[0] || (major === least[0] && minor >= least[1]);
}

async function askVersion(): Promise<SshProgram> {
  const said = await new Promise<string>((resolve, reject) => {
    execFile("ssh", ["-V"], { timeout: 10_000 }, (error, stdout, stderr) => {
      if (error === null) return resolve(`${stdout}${stderr}`);
      const why = "code" in error && error.code === "ENOENT" ? "it is not installed" : "it does not run";
      reject(unfit(`${why}: install OpenSSH's client (in Debian: openssh-client)`));
    });
  });
  const program = readVersion(said);
  if (program === undefined) {
    throw unfit(
      "it is not OpenSSH's, or its port to Windows, which can't share a connection (ControlMaster)",
    );
  }
  if (isAtLeast(program, oldest)) return program;
  throw unfit(`it is OpenSSH ${program.version.join(".")}, and ${oldest.join(".")} or newer is needed`);
}

/** Reads what `ssh -V` prints. `undefined`: another program, or OpenSSH for Windows. */
export function readVersion(said: string): SshProgram | undefined {
  const [, major, minor] = /^OpenSSH_(\d+)\.(\d+)/.exec(said) ?? [];
  return major === undefined || minor === undefined ? undefined : { version: [Number(major), Number(minor)] };
}

function unfit(why: string): KnockgateError {
  return new KnockgateError(
    "HOST_UNFIT",
    `this machine's ssh can't be used with \`transport: "openssh"\`: ${why}. Nothing was sent.`,
  );
}
