import { expect, test } from "vitest";
import { type ConnectionInput, connectionSchema } from "../../../src/ssh/connection";
import { fillWhatIsKnown } from "../../../src/ssh/resolve";

test("fills in the defaults of @pulumi/command", () => {
  expect(fillWhatIsKnown(connectionSchema.parse({ host: "203.0.113.7" }))).toEqual({
    host: "203.0.113.7",
    transport: "ssh2",
    port: 22,
    user: "root",
    ignoreHostKey: false,
    dialErrorLimit: 10,
    perDialTimeout: 15,
  });
});

test("accepts all known fields", () => {
  const all = {
    host: "edge.example",
    port: 2_222,
    user: "ops",
    password: "p",
    privateKey: "k",
    privateKeyPassword: "q",
    sudoPassword: "s",
    agentSocketPath: "/run/agent",
    hostKey: "ssh-ed25519 AAAA",
    ignoreHostKey: true,
    dialErrorLimit: -1,
    perDialTimeout: 0,
    transport: "openssh",
  };
  const { sudoPassword: _sudo, transport: _transport, ...proxy } = all;
  expect(connectionSchema.parse({ ...all, proxy })).toEqual({ ...all, proxy });
});

test("leaves port and user to ssh_config where ssh(1) dials", () => {
  const connection = connectionSchema.parse({
    host: "edge",
    transport: "openssh",
    proxy: { host: "bastion" },
  });
  expect(fillWhatIsKnown(connection)).toEqual(connection);
  expect([connection.port, connection.user, connection.proxy?.port]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("takes a bastion, with the same defaults", () => {
  const fill = (input: ConnectionInput) => fillWhatIsKnown(connectionSchema.parse(input));
  const { proxy } = fill({ host: "h", proxy: { host: "bastion" } });
  const { proxy: _none, transport: _transport, ...defaults } = fill({ host: "bastion" });
  expect(proxy).toEqual(defaults);
});

test("treats an undefined proxy as none", () => {
  expect(connectionSchema.safeParse({ host: "h", proxy: undefined }).success).toBe(true);
});

test("names a key that connections do not have", () => {
  const { error } = connectionSchema.safeParse({ host: "h", hostkey: "ssh-ed25519 AAAA" });
  expect(error?.issues).toMatchObject([{ code: "unrecognized_keys", keys: ["hostkey"] }]);
});

test.each([
  ["no host", {}, "host"],
  ["an empty host", { host: "" }, "host"],
  ["a host with its user", { host: "ops@edge" }, "host"],
  ["a host with a blank", { host: "edge -oProxyCommand=x" }, "host"],
  ["a host with a path", { host: "edge/x" }, "host"],
  ["port 0", { host: "h", port: 0 }, "port"],
  ["port 65536", { host: "h", port: 65_536 }, "port"],
  ["half a port", { host: "h", port: 22.5 }, "port"],
  ["an empty user", { host: "h", user: "" }, "user"],
  ["a limit of -2", { host: "h", dialErrorLimit: -2 }, "dialErrorLimit"],
  ["a transport that there is not", { host: "h", transport: "telnet" }, "transport"],
  ["a negative time", { host: "h", perDialTimeout: -1 }, "perDialTimeout"],
  ["a password with its line break", { host: "h", password: "one\n" }, "password"],
  ["a sudo password of two lines", { host: "h", sudoPassword: "one\ntwo" }, "sudoPassword"],
  ["an empty sudo password", { host: "h", sudoPassword: "" }, "sudoPassword"],
  ["a bastion without a host", { host: "h", proxy: {} }, "proxy.host"],
  ["a bastion with a wrong port", { host: "h", proxy: { host: "b", port: 0 } }, "proxy.port"],
])("refuses %s", (_what, raw, field) => {
  const { error } = connectionSchema.safeParse(raw);
  expect(error?.issues.map((issue) => issue.path.join("."))).toEqual([field]);
});

test.each([
  ["a bastion behind another", { proxy: { host: "c" } }, "proxy"],
  ["a sudo password for a bastion, where nobody becomes root", { sudoPassword: "s" }, "sudoPassword"],
])("does not know %s", (_what, more, key) => {
  const { error } = connectionSchema.safeParse({ host: "h", proxy: { host: "b", ...more } });
  expect(error?.issues).toMatchObject([{ code: "unrecognized_keys", keys: [key], path: ["proxy"] }]);
});
