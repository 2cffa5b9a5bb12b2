import { createHash, createHmac, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectionSchema } from "../../src/transport/connection";
import {
  findExpectedKeys,
  findKnownKeys,
  fingerprintKey,
  listKeyAlgorithms,
} from "../../src/transport/host-key";

/** A key blob (RFC 4253, 6.6): its type and some bytes, each behind its length. */
function makeKey(type: string, body = randomBytes(32)): Buffer {
  return Buffer.concat([type, body].map((part) => Buffer.concat([lengthOf(part), Buffer.from(part)])));
}

function lengthOf(part: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return length;
}

function hashName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}

const key = makeKey("ssh-ed25519");
const other = makeKey("ecdsa-sha2-nistp256");
const line = (patterns: string, blob = key): string =>
  `${patterns} ${blob === other ? "ecdsa-sha2-nistp256" : "ssh-ed25519"} ${blob.toString("base64")}`;

describe("known_hosts", () => {
  test.each([
    ["a plain name", line("edge.example"), "edge.example"],
    ["a name in another case", line("Edge.Example"), "edge.EXAMPLE"],
    ["an address", line("203.0.113.7"), "203.0.113.7"],
    ["an IPv6 address", line("2001:db8::7"), "2001:db8::7"],
    ["one of a list", line("other.example,edge.example,203.0.113.7"), "203.0.113.7"],
    ["a star", line("*.example"), "edge.example"],
    ["a question mark", line("edge?.example"), "edge7.example"],
    ["a name and port", line("[edge.example]:2222"), "[edge.example]:2222"],
    ["a hashed name", line(hashName("edge.example")), "edge.example"],
    ["a hashed name in another case", line(hashName("edge.example")), "Edge.Example"],
    ["a hashed name and port", line(hashName("[203.0.113.7]:2222")), "[203.0.113.7]:2222"],
    ["a comment behind the key", `${line("edge.example")} root@edge since 2019`, "edge.example"],
    ["tabs and blanks", `  ${line("edge.example").replaceAll(" ", "\t ")}  `, "edge.example"],
    ["a line break of Windows", `${line("edge.example")}\r`, "edge.example"],
  ])("finds the key by %s", (_what, text, name) => {
    expect(findKnownKeys(`# known hosts\n\n${text}\n`, name)).toEqual([key]);
  });

  test.each([
    ["another name", line("edge.example"), "edge.example.org"],
    ["a dot that is no wildcard", line("edge.example"), "edgeXexample"],
    ["characters of regular expressions", line("(edge|.*)+[a-z].example"), "edge.example"],
    ["a name without its port", line("edge.example"), "[edge.example]:2222"],
    ["a port without its name", line("[edge.example]:2222"), "edge.example"],
    ["a negated name", line("*.example,!edge.example"), "edge.example"],
    ["a negated name that stands first", line("!edge.example,*.example"), "edge.example"],
    ["another hashed name", line(hashName("other.example")), "edge.example"],
    ["half a hashed name", line("|1|c2FsdA=="), "edge.example"],
    ["a commented line", `#${line("edge.example")}`, "edge.example"],
    ["a certificate authority", `@cert-authority ${line("*.example")}`, "edge.example"],
    ["an unknown marker", `@trusted ${line("edge.example")}`, "edge.example"],
    ["a line without a key", "edge.example ssh-ed25519", "edge.example"],
    ["a key of SSH 1", "edge.example 1024 35 1234567890123456789", "edge.example"],
    ["a key that is no base64", "edge.example ssh-ed25519 !!!!!!!!!!!!!!!!", "edge.example"],
    ["a key that is base64 of nonsense", "edge.example ssh-ed25519 bm9uc2Vuc2Utbm9uc2Vuc2U=", "edge.example"],
    ["a key cut short", line("edge.example", key.subarray(0, 11)), "edge.example"],
    ["a key of another kind than its line says", line("edge.example", makeKey("ssh-rsa")), "edge.example"],
    ["nothing", "", "edge.example"],
  ])("finds no key by %s", (_what, text, name) => {
    expect(findKnownKeys(`${text}\n`, name)).toEqual([]);
  });

  test("lists every key of a host", () => {
    const text = [line("edge.example"), line("203.0.113.7"), line("edge.*", other)];
    expect(findKnownKeys(text.join("\n"), "edge.example")).toEqual([key, other]);
  });

  test("never trusts a revoked key, wherever its line stands", () => {
    const text = [line("edge.example"), line("edge.example", other), `@revoked ${line("*")}`];
    expect(findKnownKeys(text.join("\n"), "edge.example")).toEqual([other]);
    expect(findKnownKeys(text.reverse().join("\n"), "edge.example")).toEqual([other]);
  });
});

describe("the keys to expect", () => {
  let home: string;
  let homeBefore: string | undefined;
  beforeEach(() => {
    homeBefore = process.env["HOME"];
    home = mkdtempSync(join(tmpdir(), "knockgate-home-"));
    process.env["HOME"] = home;
  });
  afterEach(() => {
    if (homeBefore === undefined) delete process.env["HOME"];
    else process.env["HOME"] = homeBefore;
    rmSync(home, { recursive: true });
  });

  const expectedFor = (raw: object) =>
    findExpectedKeys(connectionSchema.parse({ host: "edge.test", ...raw }));
  const know = (text: string): void => {
    mkdirSync(join(home, ".ssh"));
    writeFileSync(join(home, ".ssh", "known_hosts"), text);
  };

  test.each([
    ["as OpenSSH writes it", `ssh-ed25519 ${key.toString("base64")} root@edge`],
    ["bare", key.toString("base64")],
    ["as ssh-keyscan prints it", `edge.test ssh-ed25519 ${key.toString("base64")}\n`],
  ])("are the pinned one, %s", async (_what, hostKey) => {
    know(line("edge.test", other));
    expect(await expectedFor({ hostKey })).toEqual({ keys: [key], source: "connection.hostKey" });
  });

  test.each([
    ["nothing", ""],
    ["words", "the usual key"],
    ["a fingerprint", fingerprintKey(key)],
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END"],
    ["a type without a key", "ssh-ed25519"],
    ["a key cut short", `ssh-ed25519 ${key.toString("base64").slice(0, 12)}`],
    ["zeros", "ssh-ed25519 AAAAAAAAAAAAAAAAAAAAAAAA"],
  ])("are not %s: that is said without the text", async (_what, hostKey) => {
    const failure = await expectedFor({ hostKey }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "ARGUMENTS_INVALID",
      message: expect.stringContaining("connection.hostKey"),
    });
    expect(`${failure}`).not.toContain("b3BlbnNzaC1rZXktdjEAAAAA");
  });

  test("are those of known_hosts, by name, or by name and port", async () => {
    know(`${line("edge.test")}\n${line("[edge.test]:2222", other)}\n`);
    expect(await expectedFor({})).toEqual({ keys: [key], source: "known_hosts" });
    expect(await expectedFor({ port: 2_222 })).toEqual({ keys: [other], source: "known_hosts" });
  });

  test("are asked for when there is none", async () => {
    await expect(expectedFor({ port: 2_222 })).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      message: expect.stringMatching(/^\[edge\.test\]:2222: .*nothing was sent.*ssh-keyscan/),
    });
  });

  test("are none only when that was asked for by name", async () => {
    expect(await expectedFor({ ignoreHostKey: true })).toBeUndefined();
  });
});

test("names a key as `ssh-keygen -l` does", () => {
  const digest = createHash("sha256").update(key).digest("base64");
  expect(fingerprintKey(key)).toBe(`SHA256:${digest.replace("=", "")}`);
});

test("asks a host to sign by what its keys can do, RSA with SHA-2 alone", () => {
  const keys = [makeKey("ssh-rsa"), key, makeKey("ssh-rsa"), other];
  expect(listKeyAlgorithms(keys)).toEqual([
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
  ]);
});
