import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { KnockgateError } from "../../errors.js";
import type { Profile } from "../../knock/clients/profile.js";
import { decodeText } from "../../ssh/decode-text.js";
import { parseJson } from "../files/parse-json.js";
import { canOthersRead } from "./others-read.js";
import { isProfileName, readProfile } from "./read-profile.js";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

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
  return (await import("../../ssh/home.js")).findHome();
}

/** Lists the names of all profiles, sorted. */
export async function listProfiles(environment: Environment): Promise<readonly string[]> {
  const folder = await findProfileFolder(environment);
  const files = folder === undefined ? [] : await ifThere(readdir(folder));
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
  const found = folder === undefined ? undefined : await ifThere(Promise.all([stat(path), readFile(path)]));
  if (found === undefined) return undefined;
  const [state, bytes] = found;
  if (canOthersRead(state)) {
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      `${path}: other users can read it, and it holds a knock. Run \`chmod 600\` on it, and change the knock if somebody may have read it.`,
    );
  }
  return readProfile(name, parseJson(path, decodeText(bytes)), path);
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
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${profile.name}.json`);
  const draft = join(folder, `.${profile.name}.${process.pid}.${Date.now()}`);
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(writeProfile(profile));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
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
  const was = await ifThere(stat(path));
  await rm(path, { force: true });
  return was !== undefined;
}

/** Returns `undefined` when the file or folder is missing. */
async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    return undefined;
  }
}
