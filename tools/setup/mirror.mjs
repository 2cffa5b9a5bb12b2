import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Finds the mirror that this machine's own apt uses, if it is a Debian one.
 * @returns {string | undefined} undefined: debootstrap takes its default
 */
export function findDebianMirror() {
  const system = readText("/etc/os-release");
  const [, suite] = /^VERSION_CODENAME=(\w+)$/m.exec(system) ?? [];
  if (!/^ID=debian$/m.test(system) || suite === undefined) return undefined;
  const folder = "/etc/apt/sources.list.d";
  const files = ["/etc/apt/sources.list", ...listFiles(folder).map((name) => join(folder, name))];
  return chooseMirror(suite, new Map(files.map((file) => [file, readText(file)])));
}

/**
 * Chooses the archive to build a Debian from: the one that this machine's own Debian comes from.
 * @param {string} suite its code name
 * @param {ReadonlyMap<string, string>} files apt's files, by name
 */
export function chooseMirror(suite, files) {
  const sources = [...files].flatMap(([file, text]) => readSources(file, text));
  return sources.find((source) => source.suite === suite && isMainArchive(source))?.uri;
}

/** @typedef {{ uri: string, suite: string, components: string[] }} Source */

/**
 * Reads sources.list(5), in either form.
 * @param {string} file
 * @param {string} text
 * @returns {Source[]}
 */
function readSources(file, text) {
  const lines = text.split("\n").filter((line) => !line.trimStart().startsWith("#"));
  return file.endsWith(".sources") ? readStanzas(lines) : lines.flatMap(readLine);
}

/** @param {string[]} lines */
function readStanzas(lines) {
  const stanzas = lines.join("\n").split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    /** @param {string} name */
    const field = (name) => {
      const [, value = ""] = new RegExp(`^${name}:(.*(?:\n[ \t].*)*)`, "im").exec(stanza) ?? [];
      return value.split(/\s+/).filter((word) => word !== "");
    };
    if (!field("Types").includes("deb") || field("Enabled").includes("no")) return [];
    const components = field("Components");
    return field("URIs").flatMap((uri) => field("Suites").map((suite) => ({ uri, suite, components })));
  });
}

/** @param {string} line */
function readLine(line) {
  const [, uri, suite, rest] = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line) ?? [];
  if (uri === undefined || suite === undefined) return [];
  return [{ uri, suite, components: (rest ?? "").trim().split(/\s+/) }];
}

/**
 * Updates and security fixes are other suites. Software that does not belong to Debian is in other archives.
 * @param {Source} source
 */
function isMainArchive({ uri, components }) {
  return /^https?:\/\/.*\/debian\/?$/.test(uri) && components.includes("main");
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** @param {string} folder */
function listFiles(folder) {
  try {
    return readdirSync(folder).filter((name) => /\.(list|sources)$/.test(name));
  } catch {
    return [];
  }
}
