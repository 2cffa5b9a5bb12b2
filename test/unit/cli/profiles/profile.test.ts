import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findProfileFolder } from "../../../../src/cli/profiles/profile-store";
import { makeGateProfile, makeOutputs, secretSteps, secrets } from "../gated";
import { play } from "../play";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIABBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const way = { host: "203.0.113.7", port: 22, user: "ops", hostKey };
const proxy = { host: "fe80::1%eth0", port: 2_222, user: "jump", hostKey };

let home: string;
let environment: Record<string, string>;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "knockgate-cli-"));
  environment = { XDG_CONFIG_HOME: home };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const folder = () => join(home, "knockgate", "profiles");

async function add(outputs: unknown, ...words: string[]) {
  return play(["profile", "add", "-", ...words], { environment, input: JSON.stringify(outputs) });
}

describe("profile add", () => {
  test("keeps a host of a stack in a file for its owner alone, and says no knock", async () => {
    const added = await add(makeOutputs("edge", way));
    expect(added).toMatchObject({ exitCode: 0, err: "" });
    expect(added.out).toBe(`edge: kept in ${join(folder(), "edge.json")} (ssh)\n`);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder())).toEqual(["edge.json"]);
    expect(statSync(join(folder(), "edge.json")).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(folder(), "edge.json"), "utf8"))).toMatchObject({
      way,
      gates: [{ gate: "ssh", protect: [{ tcp: "22" }], steps: secretSteps, openForSeconds: 30 }],
    });
  });

  test("finds each of several hosts, also behind a bastion, and the user's umask changes no mode", async () => {
    const outputs = {
      motd: "hello",
      hosts: { a: makeOutputs("fleet-a", way), b: makeOutputs("fleet-b", { ...way, proxy }) },
    };
    const mask = process.umask(0);
    await add(outputs).finally(() => process.umask(mask));
    expect(statSync(join(folder(), "fleet-b.json")).mode & 0o777).toBe(0o600);
    const { out } = await play(["profile", "list", "--json"], { environment });
    expect(JSON.parse(out)).toEqual([
      { name: "fleet-a", host: way.host, port: 22, user: "ops", gates: ["ssh"] },
      { name: "fleet-b", host: way.host, port: 22, user: "ops", bastion: proxy.host, gates: ["ssh"] },
    ]);
    expect(JSON.parse(readFileSync(join(folder(), "fleet-b.json"), "utf8"))).toMatchObject({
      way: { proxy },
    });
  });

  test("replaces a profile, by another name if it is asked to", async () => {
    await add(makeOutputs("edge", way));
    await add(makeOutputs("edge", { ...way, user: "root" }));
    await add(makeOutputs("edge", way), "--name", "other");
    expect((await play(["profile", "list"], { environment })).out).toBe(
      "edge: root@203.0.113.7:22, gates: ssh\nother: ops@203.0.113.7:22, gates: ssh\n",
    );
    expect((await play(["profile", "list", "--names"], { environment })).out).toBe("edge\nother\n");
  });

  test.each([
    ["the output of a gate", { motd: "hello", profile: makeGateProfile("edge", way) }],
    ["one of several", { profiles: { a: makeGateProfile("edge", way) } }],
    [
      "a whole fleet",
      {
        hosts: {
          a: { ruleset: "table", ...makeOutputs("edge", way) },
        },
      },
    ],
    ["an export", makeGateProfile("edge", way)],
  ])("reads %s, and each way of saying it makes the same file", async (_, outputs) => {
    expect(await add(outputs)).toMatchObject({
      exitCode: 0,
      out: `edge: kept in ${join(folder(), "edge.json")} (ssh)\n`,
    });
    expect(JSON.parse(readFileSync(join(folder(), "edge.json"), "utf8"))).toEqual(
      makeGateProfile("edge", way),
    );
  });

  test("takes hosts and users that ssh_config would have to quote", async () => {
    const odd = { ...way, host: "edge host", user: "ops team", proxy };
    await add({ fleet: { profiles: { a: makeGateProfile("fleet 1", odd) } } });
    expect(JSON.parse(readFileSync(join(folder(), "fleet-1.json"), "utf8"))).toMatchObject({ way: odd });
    expect((await play(["profile", "list", "--names"], { environment })).out).toBe("fleet-1\n");
  });

  const outputs = makeOutputs("edge", way);
  const { profile } = outputs;
  const withGate = (more: object) => ({ profile: { ...profile, gates: [{ ...profile.gates[0], ...more }] } });
  const withWay = (more: object) => ({ profile: { ...profile, way: { ...way, ...more } } });
  test.each([
    ["masked outputs", { knock: "[secret]", sshConfig: "[secret]" }, "--show-secrets"],
    ["masked profiles", { profile: "[secret]", motd: "47411" }, "--show-secrets"],
    ["outputs without a gate", { motd: "47411" }, "no output is a gate's `profile`"],
    [
      "a profile without a way",
      { profile: { ...makeGateProfile("edge", way), way: 47_411 } },
      "profile edge: way",
    ],
    ["a profile without gates", { profile: { ...profile, gates: 47_411 } }, "edge: gates: it is not a list"],
    [
      "a gate that is a number",
      { profile: { ...profile, gates: [47_411] } },
      "gates[0]: it is not an object",
    ],
    ["a gate without a name", withGate({ gate: "" }), "gates[0].gate: it is empty"],
    [
      "a gate without ports",
      withGate({ protect: [{ icmp: "47411" }] }),
      "gates[0].protect[0]: it does not name",
    ],
    ["a gate without steps", withGate({ steps: "47411" }), "gates[0].steps: it is not a list"],
    ["a gate that is open for no time", withGate({ openForSeconds: 0 }), "from 1 to 86400"],
    ["a step beyond all ports", withGate({ steps: [{ tcp: 4_741_100 }] }), "gates[0].steps[0]"],
    ["a step whose port is a text", withGate({ steps: [{ tcp: "47411" }] }), "gates[0].steps[0]"],
    ["a step of no kind", withGate({ steps: [{ sctp: 47_411 }] }), "gates[0].steps[0]"],
    ["a host that is a number", withWay({ host: 47_411 }), "way.host: it is not a text"],
    [
      "a port beyond all ports",
      withWay({ port: 474_110 }),
      "way.port: it is not a whole number from 1 to 65535",
    ],
    ["a bastion that is a text", withWay({ proxy: "47411" }), "way.proxy: it is not an object"],
  ])("refuses %s without quoting them", async (_, given, message) => {
    const refused = await add(given);
    expect([refused.exitCode, refused.out]).toEqual([3, ""]);
    expect(refused.err).toContain(message);
    expect(refused.err).not.toMatch(/47411/);
    expect((await play(["profile", "list", "--names"], { environment })).out).toBe("");
  });

  test("refuses text that is not valid JSON, and a name that leads out of the folder", async () => {
    const broken = await play(["profile", "add", "-"], { environment, input: '{"steps": 47411' });
    expect(broken.err).toContain("it is not valid JSON");
    expect(broken.err).not.toContain("47411");
    expect(await add(outputs, "--name", "../edge")).toMatchObject({ exitCode: 2 });
    expect(await add({ a: outputs, b: outputs }, "--name", "edge")).toMatchObject({ exitCode: 2 });
  });
});

describe("a profile", () => {
  test("that others can read is not used", async () => {
    await add(makeOutputs("edge", way));
    chmodSync(join(folder(), "edge.json"), 0o640);
    const { exitCode, err } = await play(["profile", "export", "edge"], { environment });
    expect([exitCode, err]).toEqual([3, expect.stringContaining("other users can read it")]);
  });

  test("that is damaged is reported, without its content", async () => {
    await add(makeOutputs("edge", way));
    for (const text of ["{ 47411", '{ "way": { "host": 47411 }, "gates": [] }', "[47411]"]) {
      writeFileSync(join(folder(), "edge.json"), text);
      const { exitCode, err } = await play(["profile", "export", "edge"], { environment });
      expect(exitCode).toBe(3);
      expect(err).toContain("edge.json");
      expect(err).not.toContain("47411");
    }
  });

  test("is exported with its knock, and read again elsewhere; no other command shows it", async () => {
    await add(makeOutputs("edge", { ...way, proxy }));
    const exported = await play(["profile", "export", "edge"], { environment });
    for (const words of [
      ["profile", "list"],
      ["profile", "list", "--json"],
    ]) {
      expect((await play(words, { environment })).out).not.toMatch(secrets);
    }
    expect(exported.out).toMatch(secrets);
    await play(["profile", "remove", "edge"], { environment });
    await play(["profile", "add", "-"], { environment, input: exported.out });
    expect(await play(["profile", "export", "edge"], { environment })).toEqual(exported);
  });

  test("is removed, and one that is not there is said", async () => {
    await add(makeOutputs("edge", way));
    const removed = await play(["profile", "remove", "edge", "../edge", "none"], { environment });
    expect([removed.exitCode, removed.out]).toEqual([
      1,
      "edge: removed\n../edge: there is none\nnone: there is none\n",
    ]);
    expect(readdirSync(folder())).toEqual([]);
  });

  test("stands below XDG_CONFIG_HOME if that is an absolute path, else below ~/.config", async () => {
    expect(await findProfileFolder({ XDG_CONFIG_HOME: "/x", HOME: "/h" })).toBe("/x/knockgate/profiles");
    expect(await findProfileFolder({ XDG_CONFIG_HOME: "x", HOME: "/h" })).toBe(
      "/h/.config/knockgate/profiles",
    );
    expect(await findProfileFolder({ HOME: "/h" })).toBe("/h/.config/knockgate/profiles");
  });
});
