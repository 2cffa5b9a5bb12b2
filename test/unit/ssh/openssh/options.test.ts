import { describe, expect, test } from "vitest";
import { type ConnectionInput, connectionSchema } from "../../../../src/ssh/connection";
import { readKey } from "../../../../src/ssh/keys/key-blob";
import { listArguments, writeProxyCommand } from "../../../../src/ssh/openssh/options";

const settings = {
  hostName: "203.0.113.7",
  port: 22,
  user: "ops",
  family: "any",
  jumps: [],
  hasProxyCommand: false,
  asksForKeys: true,
} as const;

function list(
  input: Partial<ConnectionInput> = {},
  { version = [9, 2] as const, isAttended = false, pinned = undefined as Buffer | undefined } = {},
): readonly string[] {
  const { proxy: _none, ...login } = connectionSchema.parse({ host: "edge", transport: "openssh", ...input });
  const dial = { folder: "/run/x", readyWord: "ready", timeoutMs: 15_000, isAttended };
  return listArguments({ version }, { ...login, port: 22, user: "ops", settings }, pinned, dial);
}

describe("ssh's arguments", () => {
  test("keep the connection fresh, and nobody's settings for a terminal count", () => {
    expect(list()).toEqual(
      expect.arrayContaining([
        "ControlPersist=no",
        "ControlPath=/run/x/s",
        "RemoteCommand=none",
        "RequestTTY=no",
        "ClearAllForwardings=yes",
        "LocalCommand=echo ready",
        "ForwardAgent=no",
        "BatchMode=yes",
      ]),
    );
    expect(list().slice(-3)).toEqual(["ops", "--", "edge"]);
  });

  test("hold no secret", () => {
    const words = list({ password: "hunter2", privateKey: "a private key", privateKeyPassword: "opens it" });
    expect(words.join(" ")).not.toMatch(/hunter2|a private key|opens it/);
    expect(words).toEqual(
      expect.arrayContaining(["IdentityFile=/run/x/key", "IdentitiesOnly=yes", "BatchMode=no"]),
    );
  });

  test("let an agent that is named help the key", () => {
    const words = list({ privateKey: "k", agentSocketPath: "/run/my agent" });
    expect(words).toContain('IdentityAgent="/run/my agent"');
    expect(words).not.toContain("IdentitiesOnly=yes");
  });

  test("take only the pinned host key", () => {
    const blob = readKey("AAAAC3NzaC1lZDI1NTE5AAAAIGlB5gbqZQH1BbXLzQAoU3HHI3jP5T7MR5hmUHwLhXuf");
    const words = list({}, { pinned: blob ?? Buffer.alloc(0) });
    expect(words).toEqual(
      expect.arrayContaining([
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=/run/x/known_hosts",
        "GlobalKnownHostsFile=/dev/null",
        "HostKeyAlgorithms=ssh-ed25519",
      ]),
    );
  });

  test("leave the question about an unknown key to somebody who can answer it", () => {
    expect(list()).toContain("StrictHostKeyChecking=yes");
    expect(list({}, { isAttended: true }).join(" ")).not.toContain("StrictHostKeyChecking");
    expect(list({ ignoreHostKey: true })).toContain("StrictHostKeyChecking=no");
  });

  test("have the settings that came with OpenSSH 8.7 only where ssh knows them", () => {
    expect(list()).toContain("ForkAfterAuthentication=no");
    expect(list({}, { version: [8, 6] as never }).join(" ")).not.toContain("ForkAfterAuthentication");
  });
});

test.each([
  ["203.0.113.7", "203.0.113.7:22"],
  ["2001:db8::7", "'[2001:db8::7]:22'"],
])("a connection carries another one to %s", (address, target) => {
  const command = writeProxyCommand("/run/x", address, 22);
  expect(command).toContain(`-W ${target} -- shared`);
  expect(command).toContain("ControlPath=/run/x/s");
  expect(command).toContain("ProxyCommand=false");
});
