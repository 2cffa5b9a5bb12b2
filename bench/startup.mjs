// Measures the start of the command line: `node bench/startup.mjs` after a build. All rows run in turns, and each round
// begins with another row. Each is compared with the `node -e 0` of the same round.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const rounds = 61;
/** The pause after a datagram, so that the next packet can't overtake it: src/knock/send-knock.ts. */
const stepPauseMs = 150;
const main = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "cli", "main.js");
if (!existsSync(main)) throw new Error("dist is not built: node tools/build.mjs");

const home = mkdtempSync(join(tmpdir(), "knockgate-startup-"));
const empty = join(home, "empty.cjs");
writeFileSync(empty, "");
/** The start of any program that does no more than a knock. */
const connect = join(home, "connect.cjs");
writeFileSync(
  connect,
  'require("node:net").connect({ host: "127.0.0.1", port: 1 }).once("error", () => process.stdout.write("refused\\n"));',
);
const send = join(home, "send.cjs");
writeFileSync(
  send,
  `const socket = require("node:dgram").createSocket("udp4");
   socket.send("", 1, "127.0.0.1", () => {
     socket.close();
     setTimeout(() => require("./connect.cjs"), ${stepPauseMs});
   });`,
);
writeProfile();

// In a process of its own, because this one blocks while a row runs.
const serve =
  'const server = require("node:net").createServer((it) => it.on("error", () => {}).end()).listen(0, "127.0.0.1", () => console.log(server.address().port));';
const server = spawn(process.execPath, ["-e", serve], { stdio: ["ignore", "pipe", "inherit"] });
const [open] = await once(server.stdout, "data");

/**
 * Port 1 refuses: the knock and the answer take almost no time, so the start is what remains.
 * @type {readonly { name: string, words: readonly string[], waitsMs?: number }[]}
 */
const rows = [
  { name: "node -e 0", words: ["-e", "0"] },
  { name: "node, an empty file", words: [empty] },
  { name: "node, a file that connects and prints", words: [connect] },
  {
    name: "node, a file that sends a datagram, waits, connects and prints",
    words: [send],
    waitsMs: stepPauseMs,
  },
  { name: "knockgate --version", words: [main, "--version"] },
  { name: "knockgate profile list", words: [main, "profile", "list"] },
  { name: "knockgate knock, TCP", words: [main, "knock", "127.0.0.1", "-s", "tcp:1", "-p", "1"] },
  { name: "knockgate knock, TCP, by a profile", words: [main, "knock", "edge", "-p", "1"] },
  {
    name: "knockgate knock, UDP",
    words: [main, "knock", "127.0.0.1", "-s", "udp:1", "-p", "1"],
    waitsMs: stepPauseMs,
  },
  { name: "knockgate proxy", words: [main, "proxy", "127.0.0.1", `${open}`.trim(), "-s", "tcp:1"] },
];

/** @type {Map<string, number[]>} in the order of rounds */
const times = new Map(rows.map(({ name }) => [name, []]));
try {
  for (let round = 0; round < rounds; round += 1) {
    const first = round % rows.length;
    for (const row of [...rows.slice(first), ...rows.slice(0, first)]) times.get(row.name)?.push(time(row));
  }
} finally {
  server.kill();
  rmSync(home, { recursive: true, force: true });
}

const floors = times.get("node -e 0") ?? [];
console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${rounds} rounds`);
console.log(`Behind a datagram ${stepPauseMs} ms are waited for; they are taken off.\n`);
console.log("| started | median | medians' ratio to node -e 0 | median of each round's ratio |");
console.log("| --- | --- | --- | --- |");
for (const [name, all] of times) {
  const median = findMedian(all);
  const paired = findMedian(all.map((time, round) => time / (floors[round] ?? time)));
  const ratio = median / findMedian(floors);
  console.log(`| ${name} | ${median.toFixed(1)} ms | ${ratio.toFixed(2)} | ${paired.toFixed(2)} |`);
}

/** Checked because a row that fails would look like one that starts fast. */
function time({ name, words, waitsMs = 0 }) {
  const env = { PATH: process.env.PATH, XDG_CONFIG_HOME: home };
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, { env });
  const tookMs = performance.now() - startedAt - waitsMs;
  if (status !== 0) throw new Error(`${name} ended with exit code ${status}: ${stderr}`);
  return tookMs;
}

function findMedian(all) {
  return [...all].sort((one, other) => one - other)[all.length >> 1] ?? 0;
}

function writeProfile() {
  const folder = join(home, "knockgate", "profiles");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const gate = { gate: "ssh", protect: [{ tcp: "1" }], steps: [{ tcp: 1 }], stepTimeoutSeconds: 5 };
  const way = { host: "127.0.0.1", port: 22, user: "root" };
  const text = JSON.stringify({ name: "edge", way, gates: [{ ...gate, openForSeconds: 5 }] });
  writeFileSync(join(folder, "edge.json"), text, { mode: 0o600 });
}
