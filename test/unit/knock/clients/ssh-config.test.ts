import { describe, expect, test } from "vitest";
import { writeSshConfig } from "../../../../src/knock/clients/ssh-config";
import type { StepInput } from "../../../../src/policy/step";
import { readPolicy } from "../../policy/read-policy";

const way = { host: "203.0.113.7", port: 22, user: "ops" };
const proxy = { host: "bastion.example", port: 2_222, user: "jump" };
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIABBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const policy = gate([{ udp: 8_522 }]);

function gate(steps: readonly StepInput[], port = "22") {
  return readPolicy({
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: port }], knock: { steps: [...steps] } }],
  });
}

const knock = 'h=$1; { echo >"/dev/udp/$h/8522"; sleep .1; } >/dev/null 2>&1';

describe("a block of ssh_config", () => {
  test("knocks, and then connects", () => {
    expect(writeSshConfig("edge", { ...way, hostKey }, policy)).toBe(
      [
        "Host edge",
        "  HostName 203.0.113.7",
        "  User ops",
        "  Port 22",
        "  IgnoreUnknown KnownHostsCommand",
        `  KnownHostsCommand /bin/echo %H ${hostKey}`,
        "  UserKnownHostsFile /dev/null",
        "  GlobalKnownHostsFile /dev/null",
        "  StrictHostKeyChecking yes",
        `  ProxyCommand bash -c '${knock}; exec 4<&0 3<>"/dev/tcp/$h/$2" || exit; { cat; kill $$ 2>/dev/null; } <&4 >&3 & ` +
          "exec cat <&3 4<&-' knock 203.0.113.7 %p",
        "",
      ].join("\n"),
    );
  });

  test("does both on the bastion where there is one", () => {
    const config = writeSshConfig("edge", { ...way, proxy: { ...proxy, hostKey } }, policy);
    const key = `-o "KnownHostsCommand=/bin/echo %%H ${hostKey}"`;
    const files = '-o "UserKnownHostsFile=/dev/null" -o "GlobalKnownHostsFile=/dev/null"';
    const ssh = `ssh -l jump -p 2222 -o "IgnoreUnknown=KnownHostsCommand" ${key} ${files} -o "StrictHostKeyChecking=yes"`;
    expect(config.split("\n").slice(4)).toEqual([
      `  ProxyCommand bash -c 'h=$1; ${ssh} bastion.example "bash -s -- $h" <<<"$3" || exit; ` +
        `exec ${ssh} -W "[$h]:$2" bastion.example' knock 203.0.113.7 %p '${knock}; true'`,
      "",
    ]);
  });

  test("only connects where no gate protects the port of SSH", () => {
    const lines = ["Host edge", "  HostName 203.0.113.7", "  User ops", "  Port 2022", ""];
    const elsewhere = { ...way, port: 2_022 };
    expect(writeSshConfig("edge", elsewhere, policy).split("\n")).toEqual(lines);
    expect(writeSshConfig("edge", { ...elsewhere, proxy }, policy)).toContain(
      `  ProxyCommand bash -c 'h=$1; exec ssh -l jump -p 2222 -W "[$h]:$2" bastion.example' knock 203.0.113.7 %p\n`,
    );
    expect(writeSshConfig("edge", elsewhere, gate([{ udp: 8_522 }], "2000-2030"))).toContain(knock);
  });

  test("says that bash can't send a knock, and connects without", () => {
    const empty = gate([{ udp: 8_522, udpPayloadBytes: 0 }]);
    const [direct, through] = [way, { ...way, proxy }].map((it) => writeSshConfig("edge", it, empty));
    const comment =
      "  # The knock of gate ssh has a UDP step without payload, which bash can't send: send it by another tool\n";
    expect(direct).toMatch(new RegExp(`  Port 22\n${comment}$`));
    expect(through).toContain(`${comment}  ProxyCommand bash -c 'h=$1; exec ssh `);
  });

  test("doubles percent signs, which begin tokens", () => {
    const config = writeSshConfig("edge", { ...way, host: "fe80::1%eth0" }, policy);
    expect(config).toContain("\n  HostName fe80::1%%eth0\n");
    expect(config).toContain(" knock fe80::1%%eth0 %p\n");
  });

  test.each([
    ["edge", "edge"],
    ["web 1", "web-1"],
    ["*", "host"],
    ["!prod?", "prod-"],
    ["-F", "F"],
    ["a\nProxyCommand id", "a-ProxyCommand-id"],
  ])("calls the host of %j %s", (name, alias) => {
    expect(writeSshConfig(name, way, policy)).toMatch(new RegExp(`^Host ${alias}\n`));
  });

  test.each([
    ["host", { host: 'a"b' }],
    ["host", { host: "a'b" }],
    ["host", { host: "$(id)" }],
    ["host", { host: "-oX=y" }],
    ["host", { host: "a#b" }],
    ["user", { user: "a b" }],
    ["user", { user: "a\n  ProxyCommand id" }],
    ["user", { user: "-l" }],
    ["bastion's host", { proxy: { ...proxy, host: "$(id)" } }],
    ["bastion's user", { proxy: { ...proxy, user: "a;id" } }],
  ])("has no unsafe %s, and no command with it: %j", (_what, strange) => {
    const config = writeSshConfig("edge", { ...way, ...strange }, policy);
    expect(config).toContain("  # ProxyCommand: left out");
    expect(config).not.toMatch(/^\s*ProxyCommand|id\b|a"b|a'b|-oX|a#b|-l/m);
  });

  test.each(["nonsense", "AAAA", "ssh-ed25519 $(id)", ""])("ignores an invalid key: %j", (strange) => {
    expect(writeSshConfig("edge", { ...way, hostKey: strange }, policy)).not.toMatch(
      /KnownHosts|Strict|id\)/,
    );
  });

  test("pins a key as it is, whatever stands around it", () => {
    const config = writeSshConfig("edge", { ...way, hostKey: `  ${hostKey}  ops@example ` }, policy);
    expect(config).toContain(`\n  KnownHostsCommand /bin/echo %H ${hostKey}\n`);
  });

  test("no program in it has characters that end a word in a shell other than sh", () => {
    const steps = [{ tcp: 1 }, { udp: 2, udpPayloadBytes: 3 }, { icmpPayloadBytes: 4 }, { udp: 5 }];
    const [, command = ""] = /ProxyCommand (.*)/.exec(writeSshConfig("edge", way, gate(steps))) ?? [];
    expect(command).toMatch(/^bash -c '[^'\\%]+' knock 203\.0\.113\.7 %p$/);
  });
});
