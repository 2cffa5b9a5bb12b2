import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commandProgram, parseReply, probeProgram, stageProgram } from "../../../src/host/script/program";
import type { Program } from "../../../src/ssh/host";
import { frameProgram } from "../../../src/ssh/root";

/** A stand-in for the functions that a program defines first. */
function callsOf({ commands }: Program): string {
  const echo = `main() { printf '<%s>' "$@"; }; stage_begin() { main begin "$@"; }; stage_end() { main end "$@"; }
put_file() { main file "$1"; printf '%s\\n' "$2"; }; put_line() { main line "$@"; }; put_script() { main script; }
end_sections_by() { :; }`;
  return spawnSync("sh", ["-s", "--", "192.0.2.9 1 192.0.2.1 22"], {
    input: `${echo}\n${commands}`,
    encoding: "utf8",
  }).stdout;
}

describe("a program", () => {
  test("passes each word of a command on unchanged", () => {
    const words = fc.array(fc.string({ unit: fc.constantFrom(..."ab '\"$`\\;|&<>(){}*?~#\n") }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(words, (rest) => {
        const expected = ["undo", ...rest].map((word) => `<${word}>`).join("");
        expect(callsOf(commandProgram(["undo", ...rest]))).toBe(expected);
      }),
      { numRuns: 30 },
    );
  });

  test("passes the client's address from sshd to a probe", () => {
    const words = "<probe><edge><iptables_mangle><192.0.2.9 1 192.0.2.1 22>";
    expect(callsOf(probeProgram("edge", "iptables_mangle", false))).toBe(words);
    expect(callsOf(probeProgram("edge", "iptables_mangle", true))).toBe(`${words}<tokens>`);
  });

  test("stages its files between the two ends of one lock", () => {
    const files = {
      ruleset: "table x {\n}\n",
      load: "flush $table\n`id`\n",
      owner: "it's me",
      backend: "iptables_filter",
    } as const;
    const said = callsOf(stageProgram("edge", "1-2", "0a", files));
    expect(said).toMatch(/^<begin><edge><1-2><script>/);
    expect(said).toContain(
      "<file><ruleset>table x {\n}\n<file><load>flush $table\n`id`\n<line><owner><it's me><line><backend><iptables_filter><line><tool><>",
    );
    expect(said).toMatch(/<end><0a><60>$/);
  });

  test.each([
    ["a command", commandProgram(["undo", "edge", "1-2", "late"])],
    [
      "a stage",
      stageProgram("edge", "1-2", "0a", { ruleset: "a\n", load: "b\n", owner: "c", backend: "nftables" }),
    ],
  ])("of %s that did not arrive whole does not run at all", (_what, { functions = "", commands }) => {
    const marked = frameProgram(functions, `echo ran; ${commands}`, "mark");
    const from = marked.indexOf("echo ran");
    const spread = Array.from(
      { length: 12 },
      (_, index) => from + index * Math.floor((marked.length - from) / 12),
    );
    for (const length of [...spread, ...[2, 3, 8, 9, 12, 20].map((missing) => marked.length - missing)]) {
      const { stdout } = spawnSync("sh", ["-s"], { input: marked.slice(0, length), encoding: "utf8" });
      expect(stdout).toBe("");
    }
  });
});

describe("a reply", () => {
  test("has values, lists and sections", () => {
    const reply = parseReply(
      "a=1\nmissing=flock\nb=\n== text\n|one\n|\n|two=2\nmissing=setsid\nc=x=y\n== empty\nend=probe\n",
    );
    expect([...reply.values]).toEqual([
      ["a", "1"],
      ["missing", "setsid"],
      ["b", ""],
      ["c", "x=y"],
      ["end", "probe"],
    ]);
    expect([...reply.sections]).toEqual([["text", "one\n\ntwo=2\n"]]);
    expect(reply.list("missing")).toEqual(["flock", "setsid"]);
    expect(reply.list("none")).toEqual([]);
  });

  test("keeps a section as it was, whatever its lines look like", () => {
    const line = fc.oneof(
      fc.constantFrom("", "|", "== text", "end=probe", "\t\ttcp dport 7 drop", "=", "a=b", "| x"),
      fc.string({ maxLength: 8 }).map((text) => text.replaceAll("\n", "")),
    );
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        const printed = lines.map((text) => `|${text}\n`).join("");
        const reply = parseReply(`before=1\n== text\n${printed}after=2\n`);
        expect(reply.sections.get("text")).toBe(lines.map((text) => `${text}\n`).join(""));
        expect([...reply.values.keys()]).toEqual(["before", "after"]);
      }),
    );
  });

  test("keeps a section that has an end, whatever its lines look like", () => {
    const lines = "|\n\n== text\nend=probe\n== text other\nend0";
    const reply = parseReply(`before=1\n== text end\n${lines}\nend\n== text two\nx\ntwo\nafter=2\n`);
    expect([...reply.sections]).toEqual([["text", `${lines}\nx\n`]]);
    expect([...reply.values.keys()]).toEqual(["before", "after"]);
  });

  test("ignores the greeting of a login", () => {
    const reply = parseReply("Welcome to edge!\n\n*** maintenance at 5 ***\nstaged=1-2\n");
    expect([...reply.values]).toEqual([["staged", "1-2"]]);
  });

  test("of nothing is empty", () => {
    expect(parseReply("").values.size).toBe(0);
  });
});
