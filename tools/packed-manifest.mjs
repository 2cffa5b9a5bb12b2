/**
 * Leaves out what only a checkout needs, and names the repository: registries resolve a README's links from it.
 * @param {Record<string, unknown>} manifest
 * @param {string} origin the URL that git fetches from; empty: none
 */
export function makePackedManifest(manifest, origin) {
  const { scripts: _scripts, devDependencies: _dev, workspaces: _workspaces, ...packed } = manifest;
  const url = readPublicUrl(origin);
  return url === undefined || "repository" in packed
    ? packed
    : { ...packed, repository: { type: "git", url: `git+${url}` } };
}

/**
 * Returns the public URL of a repository, without the login that it may hold. `undefined` for a folder, and for a host
 * without a domain.
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
