/**
 * Leaves out what is only of use in a checkout, and names the repository, from which registries resolve the links of a
 * README.
 * @param {Record<string, unknown>} manifest
 * @param {string} origin where git has the checkout from; empty: nowhere
 */
export function makePackedManifest(manifest, origin) {
  const { scripts: _scripts, devDependencies: _dev, workspaces: _workspaces, ...packed } = manifest;
  const url = readPublicUrl(origin);
  return url === undefined || "repository" in packed
    ? packed
    : { ...packed, repository: { type: "git", url: `git+${url}` } };
}

/**
 * Reads an address that others can reach, without the login that it may hold; `undefined` for a folder or a host of no
 * domain.
 * @param {string} origin as `git remote get-url` prints it, a URL or `user@host:path`
 */
function readPublicUrl(origin) {
  const domain = "([\\w-]+(?:\\.[\\w-]+)+)";
  const [, host, place] =
    new RegExp(`^(?:https|ssh)://(?:[^@/]*@)?${domain}(?::\\d+)?/(.+)$`).exec(origin) ??
    new RegExp(`^[^@/]+@${domain}:(.+)$`).exec(origin) ??
    [];
  return host === undefined || place === undefined ? undefined : `https://${host}/${place}`;
}
