import { digestKeyed } from "../../policy/digest.js";
import type { ClientTokens } from "./client-knock.js";

/**
 * Where the lists of used slots are, beside the profiles. All clients of one person on one machine share
 * them: each slot whose token was sent is an empty file, named by its number. To create that file, which only one
 * process can do, is to take the slot. So there is no lock.
 */
export const slotListsFolder = "used-slots";

/** Names the list of one user's tokens for one gate of one host. It shows neither the key nor a name. */
export function nameSlotList({ key, host, policy, gate, settings }: ClientTokens): string {
  return digestKeyed(key, ["knockgate-used-1", host, policy, gate, settings.slotSeconds].join("\0"), 16);
}

/** How many slots before the current one may still be good. Earlier ones are forgotten. */
export function countLateSlots({ settings }: ClientTokens): number {
  return Math.ceil(settings.graceSeconds / settings.slotSeconds) + 1;
}

/** Words of shell code for one list of used slots. */
export interface SlotListWords {
  /** Its name, see {@link nameSlotList}. */
  readonly name: string;
  /** See {@link countLateSlots}. */
  readonly lateSlots: string;
}

export function listSlotWords(tokens: ClientTokens): SlotListWords {
  return { name: nameSlotList(tokens), lateSlots: `${countLateSlots(tokens)}` };
}

/**
 * Writes shell code that makes the list. After `j SLOT`, `$j` is the first slot from that one on that nobody had taken,
 * and it is taken. Without a home folder, or where nothing can be written, nothing is kept and `$j` is the slot itself. It
 * keeps `$d` for that. Only a list that is not there yet takes a process.
 */
export function writeSlotList({ name }: SlotListWords): string {
  return [
    'd=; case $XDG_CONFIG_HOME in /*) d=$XDG_CONFIG_HOME ;; *) test "$HOME" && d=$HOME/.config ;; esac',
    `test "$d" && d=$d/knockgate/${slotListsFolder}/${name} && { test -d "$d" || (umask 077; mkdir -p "$d"); }`,
    // A file that can't be created, and is not there, can't be kept.
    'j(){ j=$1; test "$d" || return 0; set -C; until true >"$d/$j" || ! test -e "$d/$j"; do j=$((j + 1)); done; set +C; }',
  ].join("; ");
}

/** Writes shell code for a subshell that forgets what is past of the list. The current slot is in `$n0`. */
export function writeForgetting({ lateSlots }: SlotListWords): string {
  const past = `$((n0 - ${lateSlots}))`;
  return `test "$d" && cd "$d" && for f in *; do test "$f" -lt ${past} && rm "$f"; done`;
}
