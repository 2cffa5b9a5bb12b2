import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { hostScript } from "../../../src/host/script/host-script";
import { parseReply } from "../../../src/host/script/program";
import { readOpenings } from "../../../src/host/script/read-openings";
import type { LoggedOpenings } from "../../../src/host/tokens";
import type { PolicyInput } from "../../../src/policy/policy";
import { ada, ben, declareTokens } from "./token-host";

/** What nf_log writes of a datagram, and of an echo request. */
const ends = {
  udp: "LEN=44 TOS=0x00 PREC=0x00 TTL=57 ID=4711 DF PROTO=UDP SPT=40001 DPT=62201 LEN=24 ",
  echo: "LEN=60 TOS=0x00 PREC=0x00 TTL=57 ID=4712 PROTO=ICMP TYPE=8 CODE=0 ID=7 SEQ=1 ",
  udp6: "LEN=64 TC=0 HOPLIMIT=57 FLOWLBL=7 PROTO=UDP SPT=40001 DPT=62201 LEN=24 ",
};
const mac = "MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00";
const line = (words: string, source: string, end: string = ends.udp) =>
  `${words} IN=eth0 OUT= ${mac} SRC=${source} DST=203.0.113.7 ${end}`;

/** As `journalctl --reverse --output=short-unix` writes them: the newest first. */
const journal = [
  `1796003600.000007 edge kernel: ${line("knockgate ssh opened adam", "192.0.2.66")}`,
  `1796000300.000001 edge kernel: ${line("knockgate ssh opened ada", "192.0.2.9")}`,
  `1796000250.250000 edge kernel: ${line("knockgate ssh dropped", "192.0.2.9")}`,
  `1796000240.250000 edge kernel: ${line("knockgate ssh opened", "192.0.2.10")}`,
  `1796000200.100000 edge kernel: ${line("knockgate ssh opened ben", "2001:0db8:0000:0000:0000:0000:0000:0007", ends.udp6)}`,
  `1796000150.100000 edge kernel: ${line("other ssh opened ada", "192.0.2.11")}`,
  `1796000100.500000 edge kernel: ${line("knockgate ssh opened ada", "192.0.2.8")}`,
  "1795999999.000001 edge kernel: Linux version 6.1.0-38-amd64",
];
const ofJournal: LoggedOpenings = {
  log: "journal",
  since: 1_795_999_999,
  openings: [
    { gate: "ssh", user: "ada", at: 1_796_000_300, source: "192.0.2.9" },
    { gate: "ssh", user: "adam", at: 1_796_003_600, source: "192.0.2.66" },
    { gate: "ssh", user: "ben", at: 1_796_000_200, source: "2001:0db8:0000:0000:0000:0000:0000:0007" },
  ],
};

/** As `dmesg` writes them: the oldest first. */
const kernel = [
  "[    0.000000] Linux version 6.1.0-38-amd64",
  `[   12.500000] ${line("knockgate ssh opened ada", "192.0.2.7")}`,
  `[   99.500000] ${line("knockgate ssh opened ben", "192.0.2.8")}`,
  `[12345.678901] ${line("knockgate ssh opened ada", "192.0.2.9", ends.echo)}`,
];

describe.each([
  ["dash", ["dash"]],
  ["busybox", ["busybox", "sh"]],
] as const)("the openings in a host's log, read by %s", (_shell, [command, ...args]) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "knockgate-openings-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** @param tools what stands in for the host's own commands */
  function ask(log: PolicyInput["log"], tools: Readonly<Record<string, readonly string[]>>) {
    const policy = declareTokens({ users: [ada, ben], ...(log === undefined ? {} : { log }) });
    writeFileSync(join(folder, "confirmed"), renderPolicy(policy));
    const stubs = ["journalctl", "dmesg"].map((name) => {
      const text = tools[name];
      if (text === undefined) return `${name}() { return 127; }\n`;
      writeFileSync(join(folder, name), `${text.join("\n")}\n`);
      return `${name}() { echo "$@" >>'${folder}/asked'; cat '${folder}/${name}'; }\n`;
    });
    const clock = "date() { echo 1796020000; }\nread_uptime() { uptime=20000; }\n";
    const input = `${hostScript}${stubs.join("")}${clock}dir='${folder}'\ncmd_openings\n`;
    const { stdout, stderr } = spawnSync(command, args, { input, encoding: "utf8" });
    expect([stderr, stdout.split("\n").at(-2)]).toEqual(["", "end=openings"]);
    return readOpenings(parseReply(stdout));
  }

  const events: PolicyInput["log"] = { events: ["opened", "dropped"] };

  test("are the last ones of each user in the journal", () => {
    expect(ask(events, { journalctl: journal, dmesg: kernel })).toEqual(ofJournal);
  });

  test("are those that the kernel still has where there is no journal, or none of its lines", () => {
    const openings = [
      { gate: "ssh", user: "ada", at: 1_796_012_345, source: "192.0.2.9" },
      { gate: "ssh", user: "ben", at: 1_796_000_099, source: "192.0.2.8" },
    ];
    for (const tools of [{ dmesg: kernel }, { journalctl: [], dmesg: kernel }])
      expect(ask(events, tools)).toEqual({ log: "kernel", since: 1_796_000_000, openings });
  });

  test("are none, and how far back, where nobody came in", () => {
    expect(ask(events, { journalctl: journal.slice(-1) })).toEqual({ ...ofJournal, openings: [] });
  });

  test("can't be told where there is neither", () => {
    expect(ask(events, {})).toEqual({ log: "none", openings: [] });
  });

  test("are found by the policy's own prefix", () => {
    const renamed = journal.map((one) => one.replace("knockgate ssh", "door ssh"));
    expect(ask({ ...events, prefix: "door" }, { journalctl: renamed })).toEqual(ofJournal);
  });

  test.each<[string, PolicyInput["log"]]>([
    ["logs nothing", undefined],
    ["logs only drops", { events: ["dropped"] }],
  ])("are not asked for where the policy %s", (_what, log) => {
    rmSync(join(folder, "asked"), { force: true });
    expect(ask(log, { journalctl: journal, dmesg: kernel })).toBeUndefined();
    const { status } = spawnSync("test", ["-e", join(folder, "asked")]);
    expect(status).toBe(1);
  });

  test("are bounded, however often somebody came in", () => {
    const many = Array.from({ length: 20_000 }, (_, index) => {
      const words = `knockgate ssh opened ${index % 2 === 0 ? "ada" : "ben"}`;
      return `${1_796_100_000 - index}.000001 edge kernel: ${line(words, "192.0.2.9")}`;
    });
    const said = ask(events, { journalctl: many });
    expect(said?.openings.map(({ user, at }) => [user, at])).toEqual([
      ["ada", 1_796_100_000],
      ["ben", 1_796_099_999],
    ]);
    expect(said?.since).toBe(1_796_080_001);
  });
});
