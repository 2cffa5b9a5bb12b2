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

/**
 * Writes shell code that reads the current slot from `$n0`, makes the list, and forgets what is past. After `j SLOT`,
 * `$j` is the first slot from that one on that nobody had taken, and it is taken. Without a home folder, or where
 * nothing can be written, nothing is kept and `$j` is the slot itself. It keeps `$d` for that.
 */
export function writeSlotList(tokens: ClientTokens): string {
  const folder = `knockgate/${slotListsFolder}/${nameSlotList(tokens)}`;
  const past = `$((n0 - ${countLateSlots(tokens)}))`;
  return [
    'd=; case $XDG_CONFIG_HOME in /*) d=$XDG_CONFIG_HOME ;; *) test "$HOME" && d=$HOME/.config ;; esac',
    `test "$d" && d=$d/${folder} && (umask 077; mkdir -p "$d"; cd "$d" && for f in *; do test "$f" -lt ${past} && rm "$f"; done)`,
    // A file that can't be created, and is not there, can't be kept.
    'j(){ j=$1; test "$d" || return 0; until (set -C; : >"$d/$j") || ! test -e "$d/$j"; do j=$((j + 1)); done; }',
  ].join("; ");
}
