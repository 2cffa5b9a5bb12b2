import { mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { slotListsFolder } from "../../knock/clients/used-slots.js";
import { type Environment, findProfileFolder } from "./profile-store.js";

/** What this machine keeps of one user's tokens for one gate of one host. Where nothing can be kept, it is empty. */
export interface SlotList {
  /** Reads the list. */
  read(): Promise<SlotRecord>;
  /** Takes a slot. `false`: another process has taken it. */
  take(slot: number): Promise<boolean>;
  /** Gives back slots whose tokens were not sent. */
  giveBack(slots: readonly number[]): Promise<void>;
  /** Keeps {@link SlotRecord.begins}. */
  keepBegins(begins: number | undefined): Promise<void>;
}

export interface SlotRecord {
  /** Slots whose tokens were sent. A token is good once, so none is sent twice. */
  readonly used: ReadonlySet<number>;
  /** The slot that opened the gate last, if the host takes only tokens of later times. */
  readonly begins: number | undefined;
}

/**
 * Opens a list of used slots. The programs of `src/knock/clients` keep the same one, so that no two connections of this
 * machine take one slot. It holds no key and no token.
 *
 * @param name see `nameSlotList`
 * @param least earlier slots are past, and are forgotten
 */
export function openSlotList(environment: Environment, name: string, least: number): SlotList {
  let made: Promise<string | undefined> | undefined;
  const findFolder = (): Promise<string | undefined> => {
    made ??= makeFolder(environment, name);
    return made;
  };
  const listFiles = async (): Promise<readonly string[]> => {
    const folder = await findFolder();
    return (folder && (await ifKept(readdir(folder)))) || [];
  };
  const create = async (file: string): Promise<boolean> => {
    const folder = await findFolder();
    return folder === undefined || createFile(join(folder, file));
  };
  const remove = async (files: readonly string[]): Promise<void> => {
    const folder = await findFolder();
    if (folder === undefined) return;
    await Promise.all(files.map((file) => ifKept(rm(join(folder, file), { force: true }))));
  };
  return {
    read: async () => {
      const files = await listFiles();
      const slots = files.filter(isNumber).map(Number);
      const [begins] = files.flatMap(readBegins).sort((one, other) => other - one);
      await remove(slots.filter((slot) => slot < least).map(String));
      return { used: new Set(slots.filter((slot) => slot >= least)), begins };
    },
    take: (slot) => create(`${slot}`),
    giveBack: (slots) => remove(slots.map(String)),
    keepBegins: async (begins) => {
      const file = `${beginsPrefix}${begins}`;
      const others = (await listFiles()).filter((one) => one.startsWith(beginsPrefix) && one !== file);
      if (begins !== undefined) await create(file);
      await remove(others);
    },
  };
}

const beginsPrefix = "begins-";

function readBegins(file: string): readonly number[] {
  const slot = file.slice(beginsPrefix.length);
  return file.startsWith(beginsPrefix) && isNumber(slot) ? [Number(slot)] : [];
}

function isNumber(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

async function makeFolder(environment: Environment, name: string): Promise<string | undefined> {
  const profiles = await findProfileFolder(environment);
  if (profiles === undefined) return undefined;
  const folder = join(dirname(profiles), slotListsFolder, name);
  return ifKept(mkdir(folder, { recursive: true, mode: 0o700 }).then(() => folder));
}

/** Creates an empty file. `false`: it is there. Where it can't be created, nothing is kept. */
async function createFile(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx", 0o600)).close();
    return true;
  } catch (cause) {
    if (!isOfSystem(cause)) throw cause;
    return cause.code !== "EEXIST";
  }
}

/** A full or read-only disk must not keep anybody out. */
async function ifKept<T>(act: Promise<T>): Promise<T | undefined> {
  try {
    return await act;
  } catch (cause) {
    if (!isOfSystem(cause)) throw cause;
    return undefined;
  }
}

function isOfSystem(cause: unknown): cause is NodeJS.ErrnoException {
  return cause instanceof Error && "syscall" in cause;
}
