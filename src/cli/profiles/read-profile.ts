import { KnockgateError } from "../../errors.js";
import type { Profile } from "../../knock/clients/profile.js";
import { profileSchema } from "../../knock/clients/profile-schema.js";
import { formatPath } from "../../policy/finding.js";

/** Whether a text can be the name of a profile, and so of a file and of a host in ssh_config(5). */
export function isProfileName(text: string): boolean {
  return /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,99}$/.test(text);
}

/**
 * Reads a profile from a file's JSON, and ignores other fields.
 *
 * @param source the source's name, for messages
 * @throws KnockgateError `ARGUMENTS_INVALID`, without a value
 */
export function readProfile(name: string, value: unknown, source: string): Profile {
  const reading = profileSchema.safeParse(value);
  if (reading.success) return { name, ...reading.data };
  const [issue] = reading.error.issues;
  const place = [source, formatPath(issue?.path ?? [], "")].filter((part) => part !== "").join(": ");
  throw new KnockgateError("ARGUMENTS_INVALID", `${place}: ${issue?.message ?? "it is not a profile"}`);
}
