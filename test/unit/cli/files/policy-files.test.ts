import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { renderPolicy } from "../../../../src/backends/render";
import { lintRules } from "../../../../src/lint/lint";
import type { StepInput } from "../../../../src/policy/step";
import { readPolicy } from "../../policy/read-policy";
import { play } from "../play";

const steps: readonly StepInput[] = [{ tcp: 47_411 }, { udp: 58_522, udpPayloadBytes: 833 }, { tcp: 39_633 }];
// A label is hexadecimal, so it may hold 833 by chance.
const secrets = /47411|58522|39633|\b833\b/;
const sound = makePolicy(steps);
const unwise = makePolicy([{ tcp: 47_411 }, { tcp: 47_412 }]);
const wrong = { ...sound, gates: [{ ...sound.gates[0], protect: [], extra: 47_411 }] };

function makePolicy(these: readonly StepInput[], openForSeconds = 30) {
  const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...these] }, openForSeconds };
  return { name: "edge", gates: [gate] };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe("lint", () => {
  test("finds nothing in a sound policy, as JSON and as YAML", async () => {
    const files = [write("sound.json", JSON.stringify(sound)), write("sound.yaml", stringify(sound))];
    expect(await play(["lint", ...files])).toMatchObject({ exitCode: 0, out: "errors: 0, warnings: 0\n" });
    const piped = await play(["lint", "-"], { input: stringify(sound) });
    expect(piped).toMatchObject({ exitCode: 0, out: "errors: 0, warnings: 0\n" });
  });

  test("says the file and the line of each finding, and no step", async () => {
    const file = write("wrong.yaml", stringify(wrong));
    const { exitCode, out } = await play(["lint", file]);
    expect(exitCode).toBe(1);
    expect(out.split("\n").map((line) => line.split(": ").slice(0, 3).join(": "))).toEqual([
      `${file}:4: error: gates[0].protect`,
      `${file}:3: error: gates[0]`,
      "errors: 2, warnings: 0",
      "",
    ]);
    expect(out).not.toMatch(secrets);
  });

  test("finds in JSON where a missing field is missed", async () => {
    const file = write("lacking.json", JSON.stringify({ ...sound, gates: [{ name: "ssh" }] }, undefined, 2));
    const { out } = await play(["lint", file, "--json"]);
    const { findings, errors } = JSON.parse(out);
    expect(errors).toBe(findings.length);
    expect(findings.map(({ path, line }: { path: string; line: number }) => [path, line])).toEqual([
      ["gates[0].protect", 4],
      ["gates[0].knock", 4],
    ]);
  });

  test("runs the policy's own tests", async () => {
    const expectation = { name: "a stranger", from: "192.0.2.1", gate: "ssh", isOpen: true };
    const file = write("expecting.json", JSON.stringify({ ...sound, expect: [expectation] }));
    const { exitCode, out } = await play(["lint", file]);
    expect([exitCode, out]).toEqual([1, expect.stringContaining("[expectation-failed]")]);
  });

  test("writes SARIF 2.1.0: each result has its rule, level and place", async () => {
    const files = [write("unwise.yaml", stringify(unwise)), write("wrong2.yaml", stringify(wrong))];
    const { exitCode, out } = await play(["lint", "--format", "sarif", ...files]);
    const { version, runs } = JSON.parse(out);
    const [{ tool, results }] = runs;
    expect([exitCode, version, runs.length, tool.driver.name]).toEqual([1, "2.1.0", 1, "knockgate"]);
    expect(tool.driver.rules.slice(0, lintRules.length).map(({ id }: { id: string }) => id)).toEqual(
      lintRules.map(({ id }) => id),
    );
    const ids = results.map((it: { ruleId: string; ruleIndex: number }) => {
      expect(tool.driver.rules[it.ruleIndex].id).toBe(it.ruleId);
      return it.ruleId;
    });
    expect(ids).toEqual(expect.arrayContaining(["knock-too-short", "swept-in-order", "policy-shape"]));
    for (const { level, locations } of results) {
      expect(["error", "warning"]).toContain(level);
      const [{ physicalLocation, logicalLocations }] = locations;
      expect(physicalLocation.artifactLocation.uri).toMatch(/^file:\/\/\/.*\.yaml$/);
      expect(physicalLocation.region.startLine).toBeGreaterThan(1);
      expect(logicalLocations[0].fullyQualifiedName).toMatch(/^gates\[0\]/);
    }
    expect(out).not.toMatch(secrets);
  });

  test.each([
    ["broken.json", '{ "name": 47411', "it is not valid JSON"],
    ["broken.yaml", "name: edge\ngates: [47411\n", "it is not valid YAML"],
    ["alias.yaml", "name: *x47411\n", "its aliases can't be followed"],
  ])("refuses %s without quoting it", async (name, text, message) => {
    const { exitCode, err } = await play(["lint", write(name, text)]);
    expect([exitCode, err]).toEqual([3, expect.stringContaining(message)]);
    expect(err).not.toContain("47411");
  });

  test("says that a file can't be read", async () => {
    const { exitCode, err } = await play(["lint", join(folder, "none.json")]);
    expect([exitCode, err]).toEqual([3, expect.stringContaining("it can't be read (ENOENT)")]);
  });
});

describe("render", () => {
  test("shows labels, and the steps only where it is asked to", async () => {
    const file = write("sound.json", JSON.stringify(sound));
    const masked = await play(["render", file]);
    expect(masked.exitCode).toBe(0);
    expect(masked.out).toContain("table inet knockgate_edge");
    expect(masked.out).toMatch(/<ssh-1:[0-9a-f]+>/);
    expect(masked.out).not.toMatch(secrets);
    expect((await play(["render", file])).out).not.toBe(masked.out);
    const shown = await play(["render", "--show-secrets", file]);
    expect(shown.out).toBe(renderPolicy(readPolicy(sound)));
  });

  test("refuses a policy with errors, as a value of its own", async () => {
    const file = write("wrong.json", JSON.stringify(wrong));
    const { exitCode, out, err } = await play(["render", file]);
    expect([exitCode, out]).toEqual([1, ""]);
    expect(err).toContain("gates[0].protect");
    expect(err).not.toMatch(secrets);
  });
});

describe("explain", () => {
  test.each([
    ["text", /^Gate ssh/],
    ["markdown", /\| --- \|/],
    ["mermaid", /^stateDiagram-v2/],
    ["svg", /^<svg/],
    ["html", /^<!doctype html>/i],
  ])("writes %s, and no step unless it is asked to", async (format, beginning) => {
    const file = write("sound.json", JSON.stringify(sound));
    const { exitCode, out } = await play(["explain", "--format", format, file]);
    expect(exitCode).toBe(0);
    expect(out).toMatch(beginning);
    expect(out).not.toMatch(secrets);
    expect((await play(["explain", "--format", format, "--show-secrets", file])).out).toMatch(/47411/);
  });
});

describe("simulate", () => {
  const send = (lines: readonly string[]) => write("packets.txt", lines.join("\n"));
  const policy = () => write("sound.json", JSON.stringify(sound));
  const knock = ["0 198.51.100.7 tcp 47411", "+0.1 198.51.100.7 udp 58522 833 bytes"];

  test("says that a knock opens, and no step unless it is asked to", async () => {
    const packets = send([...knock, "+0.1 198.51.100.7 tcp 39633", "+1 198.51.100.7 tcp 22"]);
    const { exitCode, out } = await play(["simulate", policy(), packets]);
    expect({ exitCode, out }).toMatchObject({ exitCode: 0 });
    expect(out).not.toMatch(secrets);
    expect((await play(["simulate", "--show-secrets", policy(), packets])).out).toMatch(/47411/);
  });

  test("says why one does not", async () => {
    const late = await play(["simulate", policy(), send([...knock, "+6.1 198.51.100.7 tcp 39633"])]);
    expect(late.exitCode).toBe(1);
    expect(late.out).toContain("step 3 came 6.1 s after step 2; stepTimeout is 5 s");
    const { exitCode, out } = await play(["simulate", policy(), send([...knock, "what is this?"])]);
    expect(exitCode).toBe(1);
    expect(out).toContain("line 3: ");
  });

  test("reads captures, and says of a broken one that it is", async () => {
    const file = write("broken.pcap", "");
    writeFileSync(file, Buffer.from("d4c3b2a1020004", "hex"));
    const { exitCode, out } = await play(["simulate", policy(), file]);
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^file: /);
    expect(await play(["simulate", policy(), join(folder, "nothing")])).toMatchObject({ exitCode: 3 });
  });
});

describe("diff", () => {
  test("shows what differs, with one label for a step that both have", async () => {
    const before = write("before.json", JSON.stringify(sound));
    const other = makePolicy([{ tcp: 47_411 }, { tcp: 52_002 }, { tcp: 39_633 }], 60);
    const after = write("after.yaml", stringify(other));
    expect(await play(["diff", before, before])).toMatchObject({ exitCode: 0, out: "" });
    const { exitCode, out } = await play(["diff", before, after]);
    expect(exitCode).toBe(1);
    expect(out).toContain(`--- ${before}`);
    expect(out).toMatch(/^-.*<ssh-2:[0-9a-f]+>/m);
    expect(out).toMatch(/^\+.*<ssh-2:[0-9a-f]+>/m);
    const changed = out.split("\n").filter((line) => /^[+-]\t/.test(line));
    expect(changed.filter((line) => line.includes("<ssh-1:"))).toEqual([]);
    expect(out).not.toMatch(/47411|58522|39633|52002/);
    expect((await play(["diff", before, after, "--show-secrets"])).out).toContain("52002");
  });
});
