/** Returns why a tool is too old: a list of one reason, or none. `version` and `oldest`: numbers with points between. */
export function checkVersion(
  tool: string,
  version: string,
  oldest: { readonly version: string; readonly why: string },
  remedy: string,
): readonly string[] {
  return isOlder(version, oldest.version)
    ? [`${tool} ${version} is older than ${oldest.version}, and ${oldest.why}: ${remedy}`]
    : [];
}

function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split(".").map(Number));
  for (const [index, part] of (other ?? []).entries()) {
    const difference = (one?.[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
