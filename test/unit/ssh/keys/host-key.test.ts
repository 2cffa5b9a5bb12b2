import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connectionSchema } from "../../../../src/ssh/connection";
import { findExpectedKeys, fingerprintKey, listKeyAlgorithms } from "../../../../src/ssh/keys/host-key";
import { fillConnection } from "../../../../src/ssh/resolve";
import { makeKey } from "./keys";

const key = makeKey("ssh-ed25519");
const other = makeKey("ecdsa-sha2-nistp256");
const line = (patterns: string, blob = key): string =>
  `${patterns} ${blob === other ? "ecdsa-sha2-nistp256" : "ssh-ed25519"} ${blob.toString("base64")}`;

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
    findExpectedKeys(fillConnection(connectionSchema.parse({ host: "edge.test", ...raw })), "connection");
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

  test("are those of the plain name, where known_hosts has none with the port", async () => {
    know(line("edge.test"));
    expect(await expectedFor({ port: 2_222 })).toEqual({ keys: [key], source: "known_hosts" });
  });

  test("are none without a home folder: the error says what to set", async () => {
    process.env["HOME"] = "";
    // A stand-in for a user id without a name: this process has one.
    const nobody = vi.spyOn(os, "homedir").mockImplementation(() => {
      throw new Error("uv_os_homedir returned ENOENT");
    });
    const failure = await expectedFor({}).catch((error: unknown) => error);
    nobody.mockRestore();
    expect(failure).toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      message: expect.stringMatching(
        /no home folder, so no ~\/\.ssh\/known_hosts: set HOME, or set connection\.hostKey to/,
      ),
    });
  });

  test.each([
    ["nothing", ""],
    ["words", "the usual key"],
    ["a fingerprint", fingerprintKey(key)],
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END"],
    ["a type without a key", "ssh-ed25519"],
    ["a key cut short", `ssh-ed25519 ${key.toString("base64").slice(0, 12)}`],
    ["zeros", "ssh-ed25519 AAAAAAAAAAAAAAAAAAAAAAAA"],
    ["a kind that no host can prove", makeKey("sk-ssh-ed25519@openssh.com").toString("base64")],
  ])("are not %s: the error says so without the text", async (_what, hostKey) => {
    const failure = await expectedFor({ hostKey }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "ARGUMENTS_INVALID",
      message: expect.stringContaining("connection.hostKey"),
    });
    expect(`${failure}`).not.toContain("b3BlbnNzaC1rZXktdjEAAAAA");
  });

  test("are not a certificate: the error says so", async () => {
    const hostKey = `ssh-ed25519-cert-v01@openssh.com ${makeKey("ssh-ed25519-cert-v01@openssh.com").toString("base64")}`;
    await expect(expectedFor({ hostKey })).rejects.toMatchObject({
      code: "ARGUMENTS_INVALID",
      message: expect.stringMatching(/^connection\.hostKey is a certificate, which can't be pinned/),
    });
  });

  test.each([
    ["a certificate authority", `@cert-authority ${line("*.test")}`, "certificate authority"],
    [
      "a key of a kind that can't be verified",
      `edge.test ssh-dss ${makeKey("ssh-dss").toString("base64")}`,
      "",
    ],
  ])("are none when known_hosts has only %s", async (_what, text, words) => {
    know(`${text}\n`);
    const failure: Error = await expectedFor({}).then(
      () => new Error("there were some"),
      (error) => error,
    );
    expect(failure).toMatchObject({ code: "HOST_KEY_UNKNOWN" });
    expect(failure.message).toContain(words);
    expect(failure.message.includes("certificate")).toBe(words !== "");
    expect(failure.message).toContain("Set connection.hostKey");
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
