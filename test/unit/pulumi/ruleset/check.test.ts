import { generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { CheckResult } from "../../../../src/pulumi/ruleset/check-failure";
import { check, create } from "../../../../src/pulumi/ruleset/operations";
import { unknownValue } from "../../../../src/pulumi/unknown";
import { makeKey } from "../../ssh/keys/keys";

const connection = { host: "203.0.113.7", password: "very-private-words" };
const knock = { steps: [{ tcp: 47_001 }, { udp: 58_002 }] };
const policy = { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock }] };
const ports = /47001|58002/;
const key = "0123456789abcdef0123456789abcdef";

/** The places of what was found. No property is ever named, because the engine prints its value. */
const places = ({ failures }: CheckResult): readonly string[] => {
  for (const { property } of failures) expect(property).toBe("");
  return failures.map(({ reason }) => reason.split(": ")[0] ?? "");
};
/** The inputs as the engine sends them from the component. */
const news = (more: object = {}) => ({ connection, policy, redactionKey: "", ...more });

describe("checking the inputs", () => {
  test("fills in the defaults", async () => {
    const { inputs, failures } = await check({}, news());
    expect(failures).toEqual([]);
    expect(inputs["undoAfterSeconds"]).toBe(60);
    expect(inputs["policy"]).toMatchObject({
      gates: [{ openForSeconds: 30, knock: { stepTimeoutSeconds: 5, strict: true } }],
      allowFrom: [],
    });
    expect(inputs["connection"]).toEqual(connection);
  });

  test("adds the ruleset without secrets", async () => {
    const { inputs } = await check({}, news());
    expect(inputs["ruleset"]).toMatch(/^table inet knockgate_edge \{/);
    expect(inputs["ruleset"]).toMatch(/tcp dport <ssh-1:[0-9a-f]{6}>/);
    expect(inputs["ruleset"]).not.toMatch(ports);
  });

  test("keeps the key of the labels, so that they change only with a port", async () => {
    const olds = { redactionKey: key };
    const [one, same, other] = await Promise.all([
      check(olds, news()),
      check(olds, news()),
      check(
        olds,
        news({ policy: { ...policy, gates: [{ ...policy.gates[0], knock: { steps: [{ tcp: 7_001 }] } }] } }),
      ),
    ]);
    expect(one.inputs["redactionKey"]).toBe(key);
    expect(one.inputs).toEqual(same.inputs);
    expect(labels(one)).not.toEqual(labels(other));
  });

  test("makes a new random key for a new resource, whatever the inputs say", async () => {
    const made = await Promise.all([
      check({}, news()),
      check({}, news({ redactionKey: key })),
      check({}, news()),
    ]);
    const keys = made.map(({ inputs }) => inputs["redactionKey"]);
    for (const one of keys) expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set([...keys, key]).size).toBe(4);
    expect(labels(made[0])).not.toEqual(labels(made[2]));
  });

  test("fails with everything that is wrong at once, each with its place", async () => {
    const result = await check(
      {},
      {
        connection: { ...connection, port: 0, proxy: { host: "bastion", port: 0 } },
        policy: {
          name: "Edge",
          gates: [
            { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 22 }] } },
            { name: "ssh", protect: [{ tcp: "47-40" }], knock: { steps: [{ tcp: 0 }, { tcp: 7, udp: 8 }] } },
          ],
          allowFrom: ["192.0.2.7/24"],
        },
        undoAfterSeconds: 5,
      },
    );
    expect([...places(result)].sort()).toEqual([
      "connection.port",
      "connection.proxy.port",
      "policy.allowFrom[0]",
      "policy.gates[0].knock.steps[0].tcp",
      "policy.gates[1].knock.steps[0].tcp",
      "policy.gates[1].knock.steps[1]",
      "policy.gates[1].name",
      "policy.gates[1].protect[0].tcp",
      "policy.name",
      "undoAfterSeconds",
    ]);
    for (const { reason } of result.failures)
      expect(reason).toMatch(/\S\. Fix: .+\. .*\[[a-z-]+\]$|\S Fix: .+\[[a-z-]+\]$/);
  });

  test("refuses an undoAfterSeconds shorter than the proof of all gates, and chooses a longer one by default", async () => {
    const gates = Array.from({ length: 40 }, (_, index) => ({
      name: `gate-${index}`,
      protect: [{ tcp: `${1_000 + index}` }],
      knock: { steps: [{ tcp: 30_000 + index }, { udp: 40_100 + 7 * index }, { tcp: 50_900 - index }] },
    }));
    const many = { ...policy, gates };
    const early = await check({}, news({ policy: many, undoAfterSeconds: 30 }));
    expect(early.failures).toEqual([
      { property: "", reason: expect.stringMatching(/^undoAfterSeconds: .*\[undo-too-early\]$/) },
    ]);
    const { inputs, failures } = await check({}, news({ policy: many }));
    expect(failures).toEqual([]);
    expect(inputs["undoAfterSeconds"]).toBe(96);
  });

  test("has no secret in its findings", async () => {
    const { failures } = await check(
      {},
      {
        connection: {
          ...connection,
          privateKey: ["very-private-words"],
          "password:very-private-words": null,
        },
        policy: {
          name: "edge",
          gates: [
            {
              name: "ssh",
              protect: [{ tcp: "47001" }],
              knock: { steps: [{ tcp: 47_001 }, { tcp: "58002x" }, { "udp:58002": null }] },
            },
          ],
        },
      },
    );
    expect(failures.length).toBeGreaterThan(3);
    expect(JSON.stringify(failures)).not.toMatch(/very-private-words|58002/);
  });

  test.each([
    ["nothing", {}, ["connection", "policy"]],
    ["a policy alone", { policy }, ["connection"]],
    ["a connection alone", { connection }, ["policy"]],
    ["words", { connection: "edge", policy: "edge" }, ["connection", "policy"]],
  ])("given %s fails at the missing fields", async (_what, raw, expected) => {
    const found = places(await check({}, raw)).map((property) => property.replace(/\..*/, ""));
    expect([...new Set(found)].sort()).toEqual(expected);
  });
});

describe("what can be seen without a host", () => {
  const key = `${generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" })}`;
  const hostKey = `ssh-ed25519 ${makeKey("ssh-ed25519").toString("base64")}`;
  const all = { ...connection, privateKey: key, hostKey };
  const wrap = (login: object): readonly (readonly [string, object])[] => [
    ["connection", { connection: { ...connection, ...login } }],
    ["connection.proxy", { connection: { ...connection, proxy: { host: "bastion", ...login } } }],
    ["proveFrom", { proveFrom: { ...connection, ...login } }],
    ["proveFrom.proxy", { proveFrom: { ...connection, proxy: { host: "bastion", ...login } } }],
  ];

  test.each<[string, object, string, RegExp]>([
    [
      "a host key that is none",
      { hostKey: "very-private-words" },
      "hostKey",
      /is not an ed25519, ECDSA or RSA public key as OpenSSH/,
    ],
    [
      "an empty host key",
      { hostKey: "" },
      "hostKey",
      /is not an ed25519, ECDSA or RSA public key as OpenSSH/,
    ],
    [
      "a path to a host key",
      { hostKey: "/etc/ssh/very-private-words.pub" },
      "hostKey",
      /is a path, not a key/,
    ],
    ["a path to a key", { privateKey: "~/.ssh/very-private-words" }, "privateKey", /it is a path, not a key/],
    [
      "words as a key",
      { privateKey: "very-private-words" },
      "privateKey",
      /is not an ed25519, ECDSA or RSA key/,
    ],
    [
      "a key without its line breaks",
      { privateKey: key.replaceAll("\n", "\\n") },
      "privateKey",
      /line breaks are lost/,
    ],
    [
      "a port in the host",
      { host: "10.1.3.2:22" },
      "host",
      /has a port in it\. Fix: Give the port as \S+\.port\./,
    ],
    ["a port behind an address of IPv6", { host: "[2001:db8::7]:22" }, "host", /brackets.* as \S+\.port\./],
    ["a user in the host", { host: "ops@edge.test" }, "host", /\. Fix: .+\./],
    ["a URL as the host", { host: "ssh:edge.test:22" }, "host", /is not an IPv6 address/],
  ])("%s is found at each login", async (_what, login, field, words) => {
    for (const [at, more] of wrap(login)) {
      const result = await check({}, news(more));
      expect(places(result)).toContain(`${at}.${field}`);
      expect(result.failures[0]?.reason).toMatch(words);
      expect(JSON.stringify(result.failures)).not.toMatch(/very-private|10\.1\.3\.2|2001/);
    }
  });

  test.each<[string, object]>([
    ["right keys", all],
    ["keys that are not known yet", { ...connection, privateKey: unknownValue, hostKey: unknownValue }],
    ["a host key that is to be ignored", { hostKey: "any", ignoreHostKey: true }],
    ["addresses of IPv6", { host: "2001:db8::7" }],
    ["addresses of IPv6 with a zone", { host: "fe80::7%eth0" }],
  ])("%s are accepted", async (_what, login) => {
    for (const [, more] of wrap(login)) expect((await check({}, news(more))).failures).toEqual([]);
  });

  test("a policy that does not fit the connection is found, also while a key is not known", async () => {
    const users = [
      { name: "ada", key: unknownValue },
      { name: "ben", key: "8Zt2".repeat(10), gates: ["web"] },
    ];
    const token = { udp: 62_201 };
    const gates = ["22", "443"].map((tcp, index) => ({
      name: ["ssh", "web"][index],
      protect: [{ tcp }],
      knock: { token },
    }));
    const given = { connection: { ...connection, host: "edge~1" }, policy: { name: "edge", users, gates } };
    expect(places(await check({}, news(given)))).toEqual(["connection.host"]);
    const named = { ...given, policy: { ...given.policy, deployAs: "ben" } };
    expect(places(await check({}, news(named)))).toEqual(["connection.host", "policy.deployAs"]);
  });

  test("a wrong key is found although the host is not known yet", async () => {
    const given = { ...connection, host: unknownValue, privateKey: "words" };
    expect(places(await check({}, news({ connection: given })))).toEqual(["connection.privateKey"]);
  });

  test("mistakes in a connection are reported like those in a policy", async () => {
    const wrong = { ...connection, port: 0, user: "", dialErrorLimit: 1.5, password: "a\nb", retries: 3 };
    const { failures } = await check({}, news({ connection: wrong, undoAfterSeconds: 5, adopt: "yes" }));
    expect(failures.map(({ reason }) => reason)).toEqual([
      "connection.port: must be at least 1. Fix: Choose a whole number within the limits. [arguments-shape]",
      "connection.user: must not be empty. Fix: Change its length. [arguments-shape]",
      "connection.password: must be one line. Fix: Change its spelling. [arguments-shape]",
      "connection.dialErrorLimit: must be a whole number. Fix: Set it to a whole number. [arguments-shape]",
      expect.stringMatching(/^connection: has a field that is not known\. Fix: .* Known are host, port, /),
      "undoAfterSeconds: must be at least 10. Fix: Choose a whole number within the limits. [arguments-shape]",
      "adopt: must be true or false. Fix: Set it to true or false. [arguments-shape]",
    ]);
    expect(places(await check({}, { connection }))).toEqual(["policy"]);
  });

  test("an unknown argument is found, of the component as well as of the resource", async () => {
    for (const more of [{ undoAfter: 5 }, { unknownArguments: ["undoAfter"] }]) {
      const { failures } = await check({}, news(more));
      expect(failures.map(({ reason }) => reason)).toEqual([
        expect.stringMatching(
          /^resource: has an argument that is not known\. Fix: Did you mean undoAfterSeconds\?/,
        ),
      ]);
    }
    const state = { origin: "o", ruleset: "r", drift: [], digest: "d", __provider: "p", recordFailure: true };
    expect((await check({}, news(state))).failures).toEqual([]);
  });
});

describe("the linter's findings and the policy's own tests", () => {
  const gate = policy.gates[0];
  const swept = {
    ...policy,
    gates: [{ ...gate, knock: { steps: [7_000, 8_000, 9_000].map((tcp) => ({ tcp })) } }],
  };
  const own = { name: "a friend", from: "192.0.2.7", gate: "ssh", packets: knock.steps, isOpen: true };
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const named = (name: string) => ({ ...policy, name });

  async function checkAndListen(given: object): Promise<{ result: CheckResult; said: string }> {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const result = await check({}, news({ policy: given }));
    const said = log.mock.calls.flat().join("\n");
    log.mockClear();
    return { result, said };
  }

  test("that are errors are failures, each with its place", async () => {
    const { result } = await checkAndListen({ ...swept, acceptRisks: ["swept-in-ordre"] });
    expect(places(result)).toEqual(["policy.acceptRisks[0]", "policy.gates[0].knock"]);
    expect(result.failures[1]?.reason).toMatch(
      /^policy\.gates\[0\]\.knock: is a sequence from tutorials\. .* \[well-known-sequence\]$/,
    );
    expect(JSON.stringify(result.failures)).not.toMatch(/7000|8000|9000/);
  });

  test("that are accepted risks are reported, but do not fail", async () => {
    const { result, said } = await checkAndListen({ ...swept, acceptRisks: ["well-known-sequence"] });
    expect(result.failures).toEqual([]);
    expect(said).toMatch(/^warning: policy edge: policy\.gates\[0\]\.knock: is a sequence from tutorials\./m);
  });

  test("that are warnings are reported without any port, and once for all hosts that have the policy", async () => {
    const [first, second] = [await checkAndListen(named("one")), await checkAndListen(named("one"))];
    expect(first.result.failures).toEqual([]);
    expect(first.said).toContain("[knock-too-short]");
    expect(first.said).not.toMatch(ports);
    expect(second.said).toBe("");
    expect((await checkAndListen(named("other"))).said).toContain("[knock-too-short]");
  });

  test("that fail a test of the policy are failures, with the trace and without a port", async () => {
    const right = await checkAndListen({ ...policy, expect: [own] });
    expect(right.result.failures).toEqual([]);
    const { result } = await checkAndListen({ ...policy, expect: [own, { ...own, isOpen: false }] });
    expect(places(result)).toEqual(["policy.expect[1]"]);
    expect(result.failures[0]?.reason).toMatch(/packet 2 at 0 s: ssh: step 2 of 2 taken: the door is open/);
    expect(result.failures[0]?.reason).not.toMatch(ports);
  });

  test("say what the backend can't do, whatever risks are accepted", async () => {
    const doubled = { ...policy, gates: [{ ...gate, knock: { steps: [{ tcp: 47_001 }, { tcp: 47_001 }] } }] };
    const given = { ...doubled, backend: "iptables", acceptRisks: ["iptables-doubled-step"] };
    expect(places((await checkAndListen(given)).result)).toEqual([
      "policy.acceptRisks[0]",
      "policy.gates[0].knock.steps[1]",
    ]);
    expect((await checkAndListen(doubled)).result.failures).toEqual([]);
  });
});

test("what is known is checked while something else is not", async () => {
  const unknownHost = { ...connection, host: unknownValue };
  const wrong = await check({}, news({ connection: unknownHost, policy: { ...policy, name: "Edge" } }));
  expect(places(wrong)).toEqual(["policy.name"]);
  const other = await check(
    {},
    news({ connection: { host: "edge/x" }, policy: { name: "edge", gates: unknownValue } }),
  );
  expect(places(other)).toEqual(["connection.host"]);
});

test("unchecked inputs are refused before anything is contacted, without a secret", async () => {
  const failing = create({ connection: { ...connection, port: 0 }, policy: { ...policy, name: "Edge" } });
  await expect(failing).rejects.toMatchObject({
    code: "POLICY_INVALID",
    message: expect.stringMatching(/nothing was contacted:\npolicy\.name: .+\nconnection\.port: /),
  });
});

function labels(result: CheckResult | undefined): readonly string[] {
  return `${result?.inputs["ruleset"]}`.match(/<ssh-\d:[0-9a-f]+>/g) ?? [];
}
