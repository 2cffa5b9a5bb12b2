import { findNearName } from "./near-name.js";

/** The most unknown names that are compared with the known ones. */
const most = 20;

/**
 * Says that an object has unknown fields, and which known fields were probably meant. Never shows their names: YAML
 * reads `{tcp:7000}`, without a space after the colon, as one name that contains a step.
 *
 * @param names the known fields
 */
export function describeUnknown(
  unknown: readonly string[],
  names: readonly string[],
  [one, many]: readonly [string, string] = ["a field", "fields"],
): { readonly message: string; readonly fix: string } {
  const message =
    unknown.length === 1
      ? `has ${one} that is not known.`
      : `has ${unknown.length} ${many} that are not known.`;
  const looked = unknown.slice(0, most);
  const near = [...new Set(looked.flatMap((name) => findNearName(name, names) ?? []))];
  const all = names.length === 0 ? "" : ` Known are ${names.join(", ")}.`;
  const hint = looked.some((name) => name.includes(":"))
    ? "Did you leave out the space after a colon? Names are not shown here, because such a name contains a value."
    : near.length > 0
      ? `Did you mean ${near.join(", ")}? Else remove it.`
      : "Remove it, or correct its spelling.";
  return { message, fix: `${hint}${all}` };
}
