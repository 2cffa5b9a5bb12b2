import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Package managers refuse versions that were published only today. */
const published = "2020-01-01T00:00:00.000Z";

/** An npm registry on this machine's loopback. */
interface Registry {
  readonly url: string;
  stop(): void;
}

interface Package {
  readonly folder: string;
  readonly manifest: { readonly name: string; readonly version: string; readonly scripts?: object };
}

/**
 * Serves installed packages as npm's registry serves published ones, because a lab has no way to that registry.
 * @param folders of packages, or of folders of packages like node_modules
 */
export async function serveRegistry(folders: readonly string[]): Promise<Registry> {
  const packages = new Map<string, Map<string, Package>>();
  for (const folder of folders) for (const found of findPackages(folder)) keep(packages, found);
  const archives = new Map<Package, Promise<Buffer>>();
  const pack = (one: Package): Promise<Buffer> => {
    const packed = archives.get(one) ?? packFolder(one.folder);
    archives.set(one, packed);
    return packed;
  };
  let url = "";
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const [name = "", archive] = decodeURIComponent(path.slice(1)).split("/-/");
    const versions = packages.get(name);
    const one = [...(versions?.values() ?? [])].find(({ manifest }) => nameArchive(manifest) === archive);
    if (one !== undefined) {
      response.end(await pack(one));
    } else if (versions === undefined || archive !== undefined) {
      response.writeHead(404, { "content-type": "application/json" }).end('{ "error": "not found" }');
    } else {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(await describePackage(url, name, versions, pack)));
    }
  };
  const server = createServer(({ url: path = "/" }, response) => {
    answer(path.replace(/\?.*/, ""), response).catch((error) => response.writeHead(500).end(`${error}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url, stop };
}

function nameArchive({ name, version }: Package["manifest"]): string {
  return `${name.replace(/^.*\//, "")}-${version}.tgz`;
}

function keep(packages: Map<string, Map<string, Package>>, found: Package): void {
  const { name, version } = found.manifest;
  const versions = packages.get(name) ?? new Map<string, Package>();
  packages.set(name, versions.set(version, found));
}

function findPackages(folder: string): readonly Package[] {
  const path = join(folder, "package.json");
  if (existsSync(path)) {
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    const own = manifest.name !== undefined && manifest.version !== undefined ? [{ folder, manifest }] : [];
    const nested = join(folder, "node_modules");
    return existsSync(nested) ? [...own, ...findPackages(nested)] : own;
  }
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .flatMap((entry) => findPackages(join(folder, entry.name)));
}

async function packFolder(folder: string): Promise<Buffer> {
  const choice = ["--anchored", "--exclude=./node_modules", "--transform=s,^\\.,package,"];
  const args = ["-C", folder, ...choice, "-I", "gzip -1", "-cf", "-", "."];
  const { stdout } = await run("tar", args, { encoding: "buffer", maxBuffer: 2 ** 30 });
  return stdout;
}

/** What a registry says of a package. */
async function describePackage(
  url: string,
  name: string,
  versions: ReadonlyMap<string, Package>,
  pack: (one: Package) => Promise<Buffer>,
): Promise<object> {
  const described = [...versions].map(async ([version, one]) => {
    const archive = await pack(one);
    const digest = (kind: string) => createHash(kind).update(archive);
    const dist = {
      tarball: `${url}/${name}/-/${nameArchive(one.manifest)}`,
      shasum: digest("sha1").digest("hex"),
      integrity: `sha512-${digest("sha512").digest("base64")}`,
    };
    const hasInstallScript = Object.keys(one.manifest.scripts ?? {}).some((each) =>
      /^(pre|post)?install$/.test(each),
    );
    return [version, { ...one.manifest, ...(hasInstallScript ? { hasInstallScript } : {}), dist }] as const;
  });
  const latest = [...versions.keys()].sort(compareVersions).at(-1);
  const time = Object.fromEntries([...versions.keys(), "created", "modified"].map((key) => [key, published]));
  return {
    name,
    "dist-tags": { latest },
    versions: Object.fromEntries(await Promise.all(described)),
    time,
    modified: published,
  };
}

function compareVersions(left: string, right: string): number {
  return left.localeCompare(right, "en", { numeric: true });
}
