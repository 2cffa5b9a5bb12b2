import { KnockgateError } from "../../errors.js";
import type { Profile } from "../../knock/clients/profile.js";
import { parseJson } from "../files/parse-json.js";
import { isProfileName, readProfile } from "./read-profile.js";

/**
 * Reads profiles from the output of `pulumi stack output --show-secrets --json`, or from what `knockgate profile export`
 * prints. It finds them at any depth.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`, without a value
 */
export function readStackOutput(text: string): readonly Profile[] {
  const objects = [...listObjects(parseJson("the outputs", text))];
  const profiles = objects.filter(isProfile).map((it) => readProfile(it.name, it, `profile ${it.name}`));
  if (profiles.length > 0) return profiles;
  throw new KnockgateError(
    "ARGUMENTS_INVALID",
    objects.some((it) => Object.values(it).includes(mask))
      ? "the outputs are masked: add --show-secrets"
      : "no output is a gate's `profile`: export it (`export const { profile } = gate`, or `{ profiles }` of a fleet)",
  );
}

/** What Pulumi's CLI prints in place of a secret. */
const mask = "[secret]";

type Fields = Readonly<Record<string, unknown>>;

/** Lists the value and all objects in it, but none inside a profile. */
function* listObjects(value: unknown): Generator<Fields> {
  if (typeof value !== "object" || value === null) return;
  yield { ...value };
  if (isProfile({ ...value })) return;
  for (const part of Object.values(value)) yield* listObjects(part);
}

function isProfile(value: Fields): value is Fields & { readonly name: string } {
  const { name, way, gates } = value;
  return way !== undefined && gates !== undefined && typeof name === "string" && isProfileName(name);
}
