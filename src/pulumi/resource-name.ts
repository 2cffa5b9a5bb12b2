/** Returns the name of the resource that an origin stands for. For a host of a fleet it is `FLEET-HOST`. */
export function nameResource(origin: unknown): string | undefined {
  const [, , types, ...rest] = `${origin ?? ""}`.split("::");
  if (types === undefined || rest.length === 0) return undefined;
  const name = rest.join("::");
  return types.endsWith(":KnockFleet") ? name.replace(/\/([^/]*)$/, "-$1") : name;
}
