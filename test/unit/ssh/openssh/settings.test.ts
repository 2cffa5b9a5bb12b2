import { describe, expect, test } from "vitest";
import { readJump } from "../../../../src/ssh/openssh/jump";
import { readVersion } from "../../../../src/ssh/openssh/program";
import { parseSettings } from "../../../../src/ssh/openssh/settings";

const printed = (more: readonly string[] = []) =>
  [
    "host edge",
    "user ops",
    "hostname 203.0.113.7",
    "port 2222",
    "addressfamily any",
    "stricthostkeychecking true",
    "identityfile ~/.ssh/id_ed25519",
    "identityfile ~/.ssh/id_rsa",
    ...more,
    "",
  ].join("\n");

describe("the settings of a host", () => {
  test("are the name, the port and the user that ssh would use", () => {
    expect(parseSettings(printed(), "connection")).toEqual({
      hostName: "203.0.113.7",
      port: 2_222,
      user: "ops",
      family: "any",
      jumps: [],
      hasProxyCommand: false,
      asksForKeys: false,
    });
  });

  test.each([
    ["proxyjump none", []],
    ["proxyjump bastion", ["bastion"]],
    ["proxyjump ops@one:2222,[2001:db8::1]:22,two", ["ops@one:2222", "[2001:db8::1]:22", "two"]],
  ])("have the machines of `%s` in their order", (line, jumps) => {
    expect(parseSettings(printed([line]), "connection").jumps).toEqual(jumps);
  });

  test("say whether an unknown host key would be asked about, and whether a command leads there", () => {
    const text = printed(["proxycommand cloudflared access ssh"]).replace("checking true", "checking ask");
    expect(parseSettings(text, "connection")).toMatchObject({ hasProxyCommand: true, asksForKeys: true });
  });

  test.each(["bindaddress 192.0.2.9", "bindinterface eth1"])("can't be used with `%s`", (line) => {
    expect(() => parseSettings(printed([line]), "connection")).toThrow(
      /^connection: ssh_config\(5\) has bind.*Nothing was sent/,
    );
  });
});

test.each([
  ["bastion", { host: "bastion" }],
  ["ops@bastion", { host: "bastion", user: "ops" }],
  ["ops@bastion:2222", { host: "bastion", user: "ops", port: 2_222 }],
  ["[2001:db8::1]", { host: "2001:db8::1" }],
  ["ops@[2001:db8::1]:22", { host: "2001:db8::1", user: "ops", port: 22 }],
  ["a@b@bastion", { host: "bastion", user: "a@b" }],
  ["ssh://ops@bastion:22", { host: "bastion", user: "ops", port: 22 }],
])("reads the jump %s", (text, jump) => {
  expect(readJump(text)).toEqual(jump);
});

test.each([
  ["OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026", [9, 2]],
  ["OpenSSH_8.2p1 Ubuntu-4ubuntu0.13, OpenSSL 1.1.1f  31 Mar 2020", [8, 2]],
  ["OpenSSH_10.0p2 Debian-7, OpenSSL 3.5.1 1 Jul 2025", [10, 0]],
  ["OpenSSH_9.9p2, LibreSSL 3.3.6", [9, 9]],
])("reads the version of %s", (said, version) => {
  expect(readVersion(said)).toEqual({ version });
});

test.each(["OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2", "Dropbear v2022.83", ""])(
  "does not take %j for an ssh that fits",
  (said) => {
    expect(readVersion(said)).toBeUndefined();
  },
);
