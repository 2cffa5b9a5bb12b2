import { describe, expect, test } from "vitest";
import type { CheckResult } from "../../../../src/pulumi/ruleset/check-failure";
import { check } from "../../../../src/pulumi/ruleset/operations";
import { unknownValue } from "../../../../src/pulumi/unknown";
import { makeKey } from "../../ssh/keys/keys";

const connection = { host: "203.0.113.7", password: "very-private-words" };
const knock = { steps: [{ tcp: 47_001 }, { udp: 58_002 }] };
const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock };
const swept = {
  name: "web",
  protect: [{ tcp: "443" }],
  knock: { steps: [7_000, 8_000, 9_000].map((tcp) => ({ tcp })) },
};
const policy = { name: "edge", gates: [ssh] };
const key = "0123456789abcdef0123456789abcdef";

/** The places of what was found. No property is ever named, because the engine prints its value. */
const places = ({ failures }: CheckResult): readonly string[] => {
  for (const { property } of failures) expect(property).toBe("");
  return failures.map(({ reason }) => reason.split(": ")[0] ?? "");
};
/** The inputs as the engine sends them from the component. */
const news = (more: object = {}) => ({ connection, policy, redactionKey: "", ...more });

describe("while something is not known yet", () => {
  test.each([
    ["a step", { policy: { ...policy, gates: [{ ...ssh, knock: { steps: [{ tcp: unknownValue }] } }] } }],
    ["the steps", { policy: { ...policy, gates: [{ ...ssh, knock: { steps: unknownValue } }] } }],
    ["who need not knock", { policy: { ...policy, allowFrom: ["192.0.2.1", unknownValue] } }],
    ["a risk that is accepted", { policy: { ...policy, gates: [ssh, swept], acceptRisks: [unknownValue] } }],
    ["the whole policy", { policy: unknownValue }],
  ])(
    "as %s, there is no failure, the ruleset is not known either, and a default stays",
    async (_what, more) => {
      const olds = { redactionKey: key, undoAfterSeconds: 60 };
      const { inputs, failures } = await check(olds, news(more));
      expect(failures).toEqual([]);
      expect(inputs).toMatchObject({
        redactionKey: key,
        ruleset: unknownValue,
        drift: [],
        undoAfterSeconds: 60,
      });
      expect((await check({}, news(more))).inputs["undoAfterSeconds"]).toBe(unknownValue);
    },
  );

  test.each([
    ["the host", { connection: { ...connection, host: unknownValue } }],
    ["the password", { connection: { ...connection, password: unknownValue } }],
    ["the whole connection", { connection: unknownValue }],
    ["where it is tried from", { proveFrom: { host: unknownValue } }],
    ["what it is behind", { behind: unknownValue }],
  ])("as %s, all of the policy is there, defaults included", async (_what, more) => {
    const known = await check({ redactionKey: key }, news());
    const { inputs, failures } = await check({ redactionKey: key }, news(more));
    expect(failures).toEqual([]);
    for (const name of ["policy", "ruleset", "undoAfterSeconds"])
      expect(inputs[name]).toEqual(known.inputs[name]);
    expect(inputs["ruleset"]).toMatch(/^table inet knockgate_edge/);
  });

  test("an unknown undoAfterSeconds stays unknown", async () => {
    const { inputs } = await check({}, news({ undoAfterSeconds: unknownValue }));
    expect(inputs["undoAfterSeconds"]).toBe(unknownValue);
  });

  test("known parts of the connection are told apart from unknown ones", async () => {
    const { inputs } = await check({}, news({ connection: { ...connection, host: unknownValue } }));
    expect(inputs["connection"]).toBe(unknownValue);
    expect(inputs["reachedBy"]).toMatchObject({ host: unknownValue, port: 22, user: "root" });
  });

  const unknownHost = { connection: { ...connection, host: unknownValue } };
  test.each<[string, object, readonly string[]]>([
    ["a name beside the host", { ...unknownHost, policy: { ...policy, name: "Edge" } }, ["policy.name"]],
    [
      "a host beside the gates",
      { connection: { host: "edge/x" }, policy: { name: "edge", gates: unknownValue } },
      ["connection.host"],
    ],
    ["a port beside the host", { connection: { host: unknownValue, port: 0 } }, ["connection.port"]],
    [
      "a gate beside an address",
      { policy: { name: "edge", gates: [{ ...ssh, name: "S" }], allowFrom: ["192.0.2.1", unknownValue] } },
      ["policy.gates[0].name"],
    ],
    [
      "an address beside an address",
      { policy: { ...policy, allowFrom: [unknownValue, "192.0.2.1/24"] } },
      ["policy.allowFrom[1]"],
    ],
    [
      "a step beside a step",
      { policy: { ...policy, gates: [{ ...ssh, knock: { steps: [{ tcp: unknownValue }, { tcp: 0 }] } }] } },
      ["policy.gates[0].knock.steps[1].tcp"],
    ],
    [
      "a step on a port that a gate protects whose knock is not known",
      {
        policy: {
          ...policy,
          gates: [
            { ...ssh, knock: unknownValue },
            { ...swept, knock: { steps: [{ tcp: 22 }] } },
          ],
        },
      },
      ["policy.gates[1].knock.steps[0].tcp"],
    ],
    [
      "what the linter finds beside the host",
      { ...unknownHost, policy: { ...policy, gates: [swept] } },
      ["policy.gates[0].knock"],
    ],
    [
      "what the linter finds in a gate behind one whose knock is not known",
      { policy: { ...policy, gates: [{ ...ssh, knock: unknownValue }, swept] } },
      ["policy.gates[1].knock"],
    ],
    [
      "a time to undo after that is too short for the policy",
      { ...unknownHost, undoAfterSeconds: 5 },
      ["undoAfterSeconds"],
    ],
  ])("finds %s", async (_what, more, expected) => {
    const result = await check({}, news(more));
    expect(places(result)).toEqual(expected);
    expect(JSON.stringify(result.failures)).not.toContain("very-private-words");
  });
});

describe("how the host is reached, in a form without secrets", () => {
  const hostKey = `ssh-ed25519 ${makeKey("ssh-ed25519").toString("base64")} ops@edge`;
  const see = async (more: object, olds: object = { redactionKey: key }) =>
    (await check(olds as Record<string, unknown>, news(more))).inputs["reachedBy"];

  test("shows address, user, fingerprint and patience, and a label for each secret", async () => {
    const proxy = { host: "bastion", user: "jump", password: "hush hush" };
    const proveFrom = { host: "198.51.100.2", password: "other words" };
    const behind = [{ gate: "ssh", protect: [{ tcp: "22" }], steps: [{ tcp: 47_001 }] }];
    const seen = await see({
      connection: { ...connection, hostKey, proxy, sudoPassword: "hush" },
      proveFrom,
      behind,
    });
    const label = (name: string) => expect.stringMatching(new RegExp(`^<${name}:[0-9a-f]{6}>$`));
    expect(seen).toEqual({
      host: "203.0.113.7",
      port: 22,
      user: "root",
      dialErrorLimit: 10,
      perDialTimeout: 15,
      password: label("password"),
      sudoPassword: label("sudoPassword"),
      hostKey: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/),
      proxy: expect.objectContaining({ host: "bastion", user: "jump", password: label("password") }),
      proveFrom: expect.objectContaining({ host: "198.51.100.2", password: label("password") }),
      behind: label("behind"),
    });
    expect(JSON.stringify(seen)).not.toMatch(/hush|words|47001/);
  });

  test.each<[string, object]>([
    ["the password", { password: "two" }],
    ["the host key", { hostKey }],
    ["whether there is one", { ignoreHostKey: true }],
    ["the user", { user: "ops" }],
    ["the patience", { dialErrorLimit: 3 }],
    ["the bastion", { proxy: { host: "bastion" } }],
  ])("shows a difference when %s differs", async (_what, more) => {
    expect(await see({ connection: { ...connection, ...more } })).not.toEqual(await see({}));
  });

  test("shows nothing of a secret that was put in place of a host key", async () => {
    const misplaced = { ...connection, hostKey: "very-private-words", user: unknownValue };
    const result = await check({ redactionKey: key }, news({ connection: misplaced }));
    expect(places(result)).toEqual(["connection.hostKey"]);
    expect(JSON.stringify(result.failures)).not.toContain("very-private-words");
  });

  test("has labels of its own for each resource", async () => {
    expect(await see({}, {})).not.toEqual(await see({}));
  });
});

describe("while a user's key is not known yet", () => {
  const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } };
  const ada = { name: "ada", key: unknownValue };
  const ben = { name: "ben", key: unknownValue };
  const known = { name: "ada", key: `ada-${"4Kq9".repeat(10)}` };

  test.each([
    ["one key", [ada]],
    ["two keys", [ada, ben]],
    ["the users", unknownValue],
    ["a whole user", [{ name: "ben", key: `ben-${"8Zt2".repeat(10)}` }, unknownValue]],
  ])("as %s, there is no failure, and the ruleset is not known either", async (_what, users) => {
    const { inputs, failures } = await check({}, news({ policy: { name: "edge", gates: [gate], users } }));
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ ruleset: unknownValue, policy: { name: "edge", gates: unknownValue } });
  });

  test("what is wrong with the gates is found all the same", async () => {
    const half = { name: "edge", gates: [gate, swept], users: [ada, ben] };
    expect(places(await check({}, news({ policy: half })))).toEqual(["policy.gates[1].knock"]);
  });

  test.each([
    ["a gate's knock", { gates: [{ ...gate, knock: unknownValue }], users: [known] }],
    ["a gate's name", { gates: [{ ...gate, name: unknownValue }], users: [{ ...known, gates: ["ssh"] }] }],
    ["a user's gates", { gates: [gate], users: [{ ...known, gates: unknownValue }] }],
    ["a user's gate", { gates: [gate], users: [{ ...known, gates: [unknownValue] }] }],
    ["a user's name", { gates: [gate], users: [{ ...known, name: unknownValue }], deployAs: "ada" }],
    ["who deploys", { gates: [gate], users: [known], deployAs: unknownValue }],
    ["the users", { gates: [gate], users: unknownValue, deployAs: "ada" }],
  ])("as %s, nothing is said that depends on it", async (_what, more) => {
    expect(places(await check({}, news({ policy: { name: "edge", ...more } })))).toEqual([]);
  });

  test("a user of a gate that is certainly missing is found", async () => {
    const half = { name: "edge", gates: [gate], users: [{ ...ada, gates: ["web"] }] };
    expect(places(await check({}, news({ policy: half })))).toContain("policy.users[0].gates[0]");
  });

  test("what is wrong with the users is found all the same", async () => {
    const half = { name: "edge", gates: [gate], users: [ada, { ...ben, name: "Ben" }] };
    expect(places(await check({}, news({ policy: half })))).toEqual(["policy.users[1].name"]);
  });
});

describe("what a gate is behind", () => {
  const token = {
    gate: "ssh",
    protect: [{ tcp: "22" }],
    token: { udp: 62_201 },
    user: "ada",
    key: `ada-${"4Kq9".repeat(10)}`,
    policy: "outer",
    tokenHost: "edge.test",
    tokens: { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 },
  };

  test("may be a gate that tokens open, as its output has it", async () => {
    const behind = [{ ...token, openForSeconds: 30, commands: {} }];
    expect((await check({}, news({ behind }))).failures).toEqual([]);
  });

  test.each(["token", "user", "key", "policy", "tokenHost", "tokens"] as const)(
    "is refused without its %s",
    async (field) => {
      const { [field]: _left, ...behind } = token;
      expect(places(await check({}, news({ behind: [behind] })))).toEqual(["behind[0]"]);
    },
  );
});
