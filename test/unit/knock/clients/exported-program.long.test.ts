import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeExport } from "../../../../src/knock/clients/exported-program";
import { makeProfile, type Profile, type ProfileGate } from "../../../../src/knock/clients/profile";
import type { SshEndpoint } from "../../../../src/knock/clients/ssh-endpoint";
import type { PolicyInput } from "../../../../src/policy/policy";
import { slotAt, tokenOf } from "../../../../src/policy/token";
import { readPolicy } from "../../policy/read-policy";
import { listen, type Receiver } from "../receiver";

const key = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";

let receiver: Receiver;
let folder: string;
beforeEach(async () => {
  receiver = await listen();
  folder = mkdtempSync(join(tmpdir(), "knockgate-export-"));
});
afterEach(() => {
  receiver.close();
  rmSync(folder, { recursive: true });
});

function makeGate(
  knock: PolicyInput["gates"][number]["knock"],
  way: Partial<SshEndpoint> = {},
): readonly [Profile, ProfileGate] {
  const users = knock.token === undefined ? [] : [{ name: "ada", key }];
  const gates = [{ name: "wg", protect: [{ udp: "51820" }], knock }];
  const policy = readPolicy({ name: "edge", users, gates });
  const profile = makeProfile("edge", { host: "127.0.0.1", port: 22, user: "ops", ...way }, policy);
  const [gate] = profile.gates;
  if (gate === undefined) throw new Error("the policy has no gate");
  return [profile, gate];
}

/** Runs a program with a home folder of the test, where it keeps which tokens it has sent. */
function run(file: string, ...words: readonly string[]): string {
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: "" };
  return execFileSync(file, words, { env, encoding: "utf8" });
}

/** The tokens of the slots around now. */
function listTokens(): readonly string[] {
  const now = slotAt(Date.now(), 60);
  return [now - 1, now].map((slot) => tokenOf(key, { policy: "edge", gate: "wg", host: "127.0.0.1", slot }));
}

describe("a profile as a script", () => {
  test("sends a token when it is run without arguments", async () => {
    const path = join(folder, "open");
    writeFileSync(path, writeExport("sh", ...makeGate({ token: { udp: receiver.port } })));
    chmodSync(path, 0o700);
    run(path);
    const [token] = await receiver.take(1);
    expect(listTokens()).toContain(token);
  });

  test("sends a sequence", async () => {
    const path = join(folder, "open");
    const steps = [
      { udp: receiver.port, udpPayloadBytes: 3 },
      { udp: receiver.port, udpPayloadBytes: 5 },
    ];
    writeFileSync(path, writeExport("sh", ...makeGate({ steps })));
    run("sh", path);
    expect((await receiver.take(2)).map((payload) => payload.length / 2)).toEqual([3, 5]);
  });
});

describe("a profile as a line of wg-quick", () => {
  test("sends a token when wg-quick evaluates it", async () => {
    const line = writeExport("wg-quick", ...makeGate({ token: { udp: receiver.port } }));
    // As wg-quick reads it: without comments, by its own bash with `set -e`.
    const program = [
      "set -e -o pipefail; shopt -s extglob; export LC_ALL=C; INTERFACE=wg0",
      `while read -r line; do stripped="\${line%%\\#*}"; value="\${stripped#*=}"; done <"$1"`,
      `cmd="\${value//%i/$INTERFACE}"; (eval "$cmd"); echo up`,
    ].join("\n");
    writeFileSync(join(folder, "wg0.conf"), line);
    expect(run("bash", "-c", program, "bash", join(folder, "wg0.conf"))).toBe("up\n");
    const [token] = await receiver.take(1);
    expect(listTokens()).toContain(token);
    expect(line).toMatch(/^PreUp = \( .* \)\n$/);
  });
});

describe("there is no program", () => {
  const token = { udp: 62_201 };
  test.each([
    [
      "for a host behind a bastion",
      { token },
      { proxy: { host: "b", port: 22, user: "jump" } },
      "behind a bastion",
    ],
    ["for a host that is an option", { token }, { host: "-x" }, "its host can't be a word"],
    ["for a step that a shell can't send", { steps: [{ udp: 1, udpPayloadBytes: 0 }] }, {}, "can't send"],
  ])("%s", (_, knock, way, words) => {
    for (const form of ["sh", "wg-quick"] as const)
      expect(() => writeExport(form, ...makeGate(knock, way))).toThrow(words);
  });

  test("for wg-quick where a name would be cut off or replaced", () => {
    expect(() => writeExport("wg-quick", ...makeGate({ token }, { host: "a#b" }))).toThrow(
      "wg-quick can't read",
    );
    expect(() => writeExport("wg-quick", ...makeGate({ token }, { host: "fe80::1%ib0" }))).toThrow(
      "wg-quick can't read",
    );
  });
});
