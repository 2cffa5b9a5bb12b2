import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Profile } from "../client/profile.js";
import { KnockgateError } from "../errors.js";
import { decodeText } from "../transport/decode-text.js";
import { canOthersRead } from "./others-read.js";
import { parseJson } from "./parse-json.js";
import { isProfileName, readProfile } from "./profile.js";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the folder of the profiles: below XDG_CONFIG_HOME, which counts only as an absolute path (XDG Base Directory,
 * 0.8), else below ~/.config. `undefined` when there is no home folder either.
 */
export async function findProfileFolder(environment: Environment): Promise<string | undefined> {
  const given = environment["XDG_CONFIG_HOME"] ?? "";
  if (isAbsolute(given)) return join(given, "knockgate", "profiles");
  const home = environment["HOME"] || (await askHome());
  return home === undefined ? undefined : join(home, ".config", "knockgate", "profiles");
}

/** Loaded only here: loading node:os takes longer than reading a profile, and is hardly ever needed. */
async function askHome(): Promise<string | undefined> {
  return (await import("../transport/home.js")).findHome();
}

/** Lists the names of all profiles, sorted. */
export async function listProfiles(environment: Environment): Promise<readonly string[]> {
  const folder = await findProfileFolder(environment);
  const files = folder === undefined ? [] : ifThere(() => readdirSync(folder));
  return (files ?? [])
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .filter(isProfileName)
    .sort();
}

/**
 * Reads a profile; `undefined` when there is none of that name.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` when others can read the file, or it does not hold a profile
 */
export async function loadProfile(environment: Environment, name: string): Promise<Profile | undefined> {
  if (!isProfileName(name)) return undefined;
  const folder = await findProfileFolder(environment);
  const path = join(folder ?? "", `${name}.json`);
  const found = folder === undefined ? undefined : ifThere(() => statSync(path));
  if (found === undefined) return undefined;
  if (canOthersRead(found)) {
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      `${path}: other users can read it, and it holds a knock. Run \`chmod 600\` on it, and change the knock if somebody may have read it.`,
    );
  }
  return readProfile(name, parseJson(path, decodeText(readFileSync(path))), path);
}

/**
 * Writes a profile. The file is never incomplete, and others can't read it at any moment.
 *
 * @returns the file's path
 * @throws KnockgateError `ARGUMENTS_INVALID` when there is no home folder
 */
export async function saveProfile(environment: Environment, profile: Profile): Promise<string> {
  const folder = await findProfileFolder(environment);
  if (folder === undefined) {
    const message = "there is no home folder to keep a profile in: set HOME or XDG_CONFIG_HOME";
    throw new KnockgateError("ARGUMENTS_INVALID", message);
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${profile.name}.json`);
  const draft = join(folder, `.${profile.name}.${process.pid}.${Date.now()}`);
  try {
    const file = openSync(draft, "wx", 0o600);
    try {
      writeFileSync(file, writeProfile(profile));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw cause;
  }
  return path;
}

/** Writes the text of a profile's file. Secret. */
export function writeProfile({ name, way, gates }: Profile): string {
  return `${JSON.stringify({ name, way, gates }, undefined, 2)}\n`;
}

/** Removes a profile and tells whether there was one. */
export async function removeProfile(environment: Environment, name: string): Promise<boolean> {
  if (!isProfileName(name)) return false;
  const folder = await findProfileFolder(environment);
  if (folder === undefined) return false;
  const path = join(folder, `${name}.json`);
  const was = ifThere(() => statSync(path));
  rmSync(path, { force: true });
  return was !== undefined;
}

/**
 * Reads synchronously: loading node:fs/promises takes longer than reading a profile. `undefined` when the file is
 * missing.
 */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    return undefined;
  }
}
