// @ts-check: `npm run check` finds where these fakes no longer fit what Knockgate asks of hosts.
// Hosts that answer as Knockgate's host script does and keep their disk in a folder. They answer in the event loop's
// next turn, faster than any network: only the work of the deployer's own machine is left.
const { createHash } = require("node:crypto");
const { existsSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { setImmediate: answerSoon } = require("node:timers/promises");

/** @typedef {import("../../src/ssh/host.js").Program} Program */
/** @typedef {import("../../src/ssh/host.js").Route} Route */
/** @typedef {{ id: string, text: string, owner: string }} Change */
/** @typedef {{ loaded: string | undefined, staged?: Change, pending?: string | undefined, isOpen: boolean, dropped: number }} FakeHost */

/**
 * @param {string} root the repository
 * @param {string} disks a folder
 */
exports.putFakesInPlace = (root, disks) => {
  /** @type {{ findRoutes: typeof import("../../src/ssh/routes.js").findRoutes }} */
  const routes = require(join(root, "dist", "ssh", "routes.js"));
  if (typeof routes.findRoutes !== "function") throw new Error("nothing to put fake hosts in the place of");
  const hosts = new Map();
  routes.findRoutes = async ({ host }) => {
    const disk = join(disks, `${host}.json`);
    if (!hosts.has(host)) hosts.set(host, { loaded: readDisk(disk)?.text, isOpen: false, dropped: 0 });
    return { routes: [makeRoute(host, hosts.get(host), disk)], close: () => undefined };
  };
};

/**
 * @param {string} name
 * @param {FakeHost} host
 * @param {string} disk
 * @returns {Route}
 */
function makeRoute(name, host, disk) {
  return {
    name,
    connect: async () => {
      await answerSoon();
      if (host.loaded !== undefined && !host.isOpen)
        throw new Error(`fake host ${name}: dialled without a knock`);
      return {
        run: async (program) => {
          await answerSoon();
          return answer(program, host, disk);
        },
        close: () => undefined,
      };
    },
    knock: async (steps) => {
      await answerSoon();
      host.isOpen ||= steps.length > 0;
    },
    probePort: async () => {
      await answerSoon();
      if (host.loaded === undefined || host.isOpen) return "open";
      host.dropped += 1;
      return "silent";
    },
  };
}

/**
 * @param {Program} program
 * @param {FakeHost} host
 * @param {string} disk
 */
function answer({ commands }, host, disk) {
  const [command, ...words] = readCommand(commands);
  const say = (/** @type {string} */ stdout) => ({ code: 0, stdout, stderr: "" });
  switch (command) {
    case "probe":
      return say(describe(readDisk(disk), host));
    case "stage": {
      const [, id = ""] = /^stage_begin \S+ (\S+)$/m.exec(commands) ?? [];
      host.staged = { id, text: readRuleset(commands), owner: readOwner(commands) };
      return say(`staged=${id}\n`);
    }
    case "arm":
      host.pending = words[1];
      return say("armed=process 7\n");
    case "load":
      host.loaded = host.staged?.text;
      host.isOpen = false;
      host.dropped = 0;
      return say(`loaded=${words[1]}\n`);
    case "count":
      return say(`${describeCounts(host)}end=count\n`);
    case "confirm":
      if (host.staged === undefined || host.pending !== words[1])
        return { code: 13, stdout: "", stderr: "not pending\n" };
      writeFileSync(disk, JSON.stringify(host.staged));
      return say(`digest=${createHash("sha256").update(host.staged.text).digest("hex")}\n`);
    case "remove":
      rmSync(disk, { force: true });
      host.loaded = undefined;
      return say("removed=yes\n");
    default:
      return { code: 1, stdout: "", stderr: `a fake host does not know ${command}\n` };
  }
}

/** @returns {Change | undefined} */
function readDisk(/** @type {string} */ disk) {
  return existsSync(disk) ? JSON.parse(readFileSync(disk, "utf8")) : undefined;
}

/**
 * @param {Change | undefined} confirmed
 * @param {FakeHost} host
 */
function describe(confirmed, host) {
  const facts = "client=192.0.2.9\nnft=nftables v1.0.6\ninit=systemd\n";
  if (confirmed === undefined) return `${facts}end=probe\n`;
  const { owner, text } = confirmed;
  const listings = [
    section("ruleset", text),
    section("baseline", text),
    section("listing", host.loaded ?? ""),
    section("tables", `${JSON.stringify({ nftables: [] })}\n`),
  ];
  return `${facts}owner=${owner}\n${listings.join("")}end=probe\n`;
}

/** As `nft -j list counters` says it. */
function describeCounts(/** @type {FakeHost} */ host) {
  const counters = [{ counter: { table: "knockgate_edge", name: "ssh_dropped", packets: host.dropped } }];
  return section("counts", `${JSON.stringify({ nftables: counters })}\n`);
}

/**
 * @param {string} name
 * @param {string} text
 */
function section(name, text) {
  return `== ${name}\n${text.replace(/^(?!$)|^(?=\n)/gm, "|")}`;
}

/**
 * The last command is the program's purpose. The others prepare it.
 * @returns {string[]}
 */
function readCommand(/** @type {string} */ commands) {
  const calls = [...commands.matchAll(/^(?:main|set --) (.+)$|^stage_end (\S+) \d+$/gm)];
  const [, words = "", digest] = calls.at(-1) ?? [];
  return digest === undefined ? words.split(" ").map(unquote) : ["stage", digest];
}

/** @returns {string} */
function readRuleset(/** @type {string} */ commands) {
  const [, text = ""] = /^put_file ruleset '([^']*)'$/m.exec(commands) ?? [];
  return `${text}\n`;
}

/** @returns {string} */
function readOwner(/** @type {string} */ commands) {
  return unquote(/^put_line owner (.*)$/m.exec(commands)?.[1] ?? "");
}

/** The fakes get only words that hold no quote. */
function unquote(/** @type {string} */ word) {
  return word.replace(/^'(.*)'$/, "$1");
}
