import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Environment, findProfileFolder } from "./profile-store.js";

/** What this machine knows of one user's tokens for one gate of one host. */
export interface SlotRecord {
  /** Slots whose tokens were sent. A token is good once, so none is sent twice. */
  readonly used: readonly number[];
  /** The slot that opened the gate last, if the host takes only tokens of later times. */
  readonly begins?: number | undefined;
}

const none: SlotRecord = { used: [] };

/** A process holds the lock for some milliseconds. An older lock is left over. */
const lockMs = 2_000;
const waitMs = 10;

/**
 * Changes what is kept of one user's tokens for one gate of one host. Other processes wait for it, so that two
 * connections never take one slot. The file is beside the profiles, with mode 0600. It holds no key and no token.
 *
 * @param owner names the user, the gate and the host
 * @param least earlier slots are past, and are forgotten
 * @param change returns the new record, or `undefined` to keep the old one
 * @returns false when nothing can be kept here
 */
export async function changeRecord(
  environment: Environment,
  owner: string,
  least: number,
  change: (record: SlotRecord) => SlotRecord | undefined,
): Promise<boolean> {
  const folder = await findProfileFolder(environment);
  if (folder === undefined) return false;
  const path = join(folder, "used-slots");
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await withLock(`${path}.lock`, async () => {
      const records = await readRecords(path);
      const changed = change(records[owner] ?? none);
      if (changed === undefined) return;
      const used = changed.used.filter((slot) => slot >= least);
      await replaceFile(path, `${JSON.stringify({ ...records, [owner]: { ...changed, used } })}\n`);
    });
    return true;
  } catch (cause) {
    // A full or read-only disk must not keep anybody out.
    if (cause instanceof Error && "syscall" in cause) return false;
    throw cause;
  }
}

type Records = Readonly<Record<string, SlotRecord>>;

/** A file that is missing or broken counts as empty: the worst that follows is a token that is sent in vain. */
async function readRecords(path: string): Promise<Records> {
  try {
    const read: unknown = JSON.parse(await readFile(path, "utf8"));
    const entries = typeof read === "object" && read !== null ? Object.entries(read) : [];
    return Object.fromEntries(entries.filter((entry): entry is [string, SlotRecord] => isRecord(entry[1])));
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is SlotRecord {
  if (typeof value !== "object" || value === null || !("used" in value)) return false;
  const begins = "begins" in value ? value.begins : undefined;
  const isSlots = Array.isArray(value.used) && value.used.every(Number.isSafeInteger);
  return isSlots && (begins === undefined || Number.isSafeInteger(begins));
}

async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

async function withLock(path: string, act: () => Promise<void>): Promise<void> {
  await takeLock(path);
  try {
    await act();
  } finally {
    await rm(path, { force: true });
  }
}

async function takeLock(path: string): Promise<void> {
  for (;;) {
    try {
      return await (await open(path, "wx", 0o600)).close();
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
    }
    const held = await stat(path).catch(() => undefined);
    if (held !== undefined && Date.now() - held.mtimeMs > lockMs) await rm(path, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
