import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { saveProfile } from "../../../src/cli/profiles/profile-store";
import { makeOutputs } from "../../unit/cli/gated";

const dist = join(realpathSync(join(__dirname, "..", "..", "..")), "dist");
const main = join(dist, "cli", "main.js");

/** A module that writes down, when the program ends, what it has loaded. */
const watcher = `
const already = new Set(process.moduleLoadList);
process.on("exit", () => require("node:fs").writeFileSync(process.env.LOADED, JSON.stringify({
  files: Object.keys(require.cache).filter((path) => path !== __filename),
  ofNode: process.moduleLoadList.filter((name) => !already.has(name)).map((name) => name.split(" ").at(-1)),
})));
`;

/** Node's modules that start its loader of ES modules, standard input, threads or processes, or are slow to load. */
const dear = [
  "internal/modules/esm/loader",
  "internal/fs/streams",
  "tty",
  "fs/promises",
  "child_process",
  "dgram",
  "dns/promises",
  "perf_hooks",
  "crypto",
  "os",
];

/** Its port refuses, so an answer comes at once. */
const way = { host: "127.0.0.1", port: 1, user: "ops" };

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-start-"));
  writeFileSync(join(folder, "watcher.cjs"), watcher);
  const gate = { gate: "ssh", protect: [{ tcp: "1" }], steps: [{ tcp: 1 }] };
  const gates = [{ ...gate, stepTimeoutSeconds: 5, openForSeconds: 5 }];
  await saveProfile({ XDG_CONFIG_HOME: folder }, { name: "edge", way, gates });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(words: readonly string[], input?: string) {
  const loaded = join(folder, "loaded.json");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["-r", join(folder, "watcher.cjs"), main, ...words],
    {
      env: { XDG_CONFIG_HOME: folder, LOADED: loaded },
      encoding: "utf8",
      ...(input === undefined ? { stdio: ["ignore", "pipe", "pipe"] as const } : { input }),
    },
  );
  const { files, ofNode } = JSON.parse(readFileSync(loaded, "utf8")) as Record<string, readonly string[]>;
  return { status, stdout, stderr, files: files ?? [], ofNode: ofNode ?? [] };
}

describe("the start of the command line", () => {
  test.each([
    ["a knock by hand", ["knock", "127.0.0.1", "-s", "tcp:1", "-p", "1"], 0],
    // Node's own dgram loads the other one.
    ["a datagram", ["knock", "127.0.0.1", "-s", "udp:1", "-p", "1"], 0, ["dgram", "child_process"]],
    // Port 22 is SSH's: the program asks it by perl.
    ["a knock by a profile", ["knock", "edge"], 0, ["child_process", "dgram", "fs/promises"]],
    ["a proxy", ["proxy", "127.0.0.1", "1", "-s", "tcp:1"], 3],
    ["profile list", ["profile", "list"], 0, ["fs/promises"]],
    ["--version", ["--version"], 0],
  ])(
    "of %s loads one file, and the modules that may exist only once",
    (_, words, exitCode, may: readonly string[] = []) => {
      const { status, files, ofNode } = run(words);
      expect(status).toBe(exitCode);
      expect(files.map((path) => path.replace(dist, "dist")).sort()).toEqual([
        "dist/cli/framework/command.js",
        "dist/cli/main.js",
        "dist/errors.js",
        // errors.js escapes messages by this file, and there must be only one class of errors.
        "dist/printable.js",
      ]);
      expect(ofNode.filter((name) => dear.includes(name) && !may.includes(name))).toEqual([]);
    },
  );

  test("leaves the maker of QR codes where it is until a picture is wanted", () => {
    const uqr = ({ files }: ReturnType<typeof run>) => files.some((path) => path.includes("/uqr/"));
    expect(uqr(run(["profile", "export", "edge"]))).toBe(false);
    expect(uqr(run(["profile", "export", "edge", "--as", "qr"]))).toBe(true);
  });

  test("keeps what only other commands need in files of their own, and knows their errors", () => {
    const two = { a: makeOutputs("a", way), b: makeOutputs("b", way) };
    const usage = run(["profile", "add", "-", "--name", "c"], JSON.stringify(two));
    expect([usage.status, usage.stderr]).toEqual([
      2,
      "knockgate: --name is for one host, but there are 2 [USAGE]\n",
    ]);
    expect(usage.files).toContain(join(dist, "cli", "commands", "profile-add", "command.js"));
    const missing = run(["profile", "export", "nobody"]);
    expect([missing.status, missing.stderr]).toEqual([
      3,
      "knockgate: there is no profile nobody [ARGUMENTS_INVALID]\n",
    ]);
  });
});
