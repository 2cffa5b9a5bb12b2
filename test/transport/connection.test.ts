import { expect, test } from "vitest";
import { connectionSchema } from "../../src/transport/connection";

test("fills in the defaults of @pulumi/command", () => {
  expect(connectionSchema.parse({ host: "203.0.113.7" })).toEqual({
    host: "203.0.113.7",
    port: 22,
    user: "root",
    ignoreHostKey: false,
    dialErrorLimit: 10,
    perDialTimeout: 15,
  });
});

test("takes everything that it knows", () => {
  const all = {
    host: "edge.example",
    port: 2_222,
    user: "ops",
    password: "p",
    privateKey: "k",
    privateKeyPassword: "q",
    agentSocketPath: "/run/agent",
    hostKey: "ssh-ed25519 AAAA",
    ignoreHostKey: true,
    dialErrorLimit: -1,
    perDialTimeout: 0,
  };
  expect(connectionSchema.parse(all)).toEqual(all);
});

test("refuses a proxy, and says what to do instead", () => {
  const { error } = connectionSchema.safeParse({ host: "h", proxy: { host: "bastion" } });
  expect(error?.issues).toMatchObject([
    {
      path: ["proxy"],
      message: "is not supported yet: a knock would have to leave from the bastion. Run Knockgate there.",
    },
  ]);
});

test("takes a proxy that is undefined for none", () => {
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
  ["a negative time", { host: "h", perDialTimeout: -1 }, "perDialTimeout"],
])("refuses %s", (_what, raw, field) => {
  const { error } = connectionSchema.safeParse(raw);
  expect(error?.issues.map((issue) => issue.path)).toEqual([[field]]);
});
