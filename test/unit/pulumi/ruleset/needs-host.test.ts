import { expect, test } from "vitest";
import { renderPolicy } from "../../../../src/backends/render";
import { digestText } from "../../../../src/policy/digest";
import { needsHost } from "../../../../src/pulumi/ruleset/needs-host";
import { check, update } from "../../../../src/pulumi/ruleset/operations";
import { type RulesetArguments, readArguments } from "../../../../src/pulumi/ruleset/parse-inputs";

/** Nothing listens here, so each dial fails. */
const connection = { host: "127.0.0.1", port: 1, dialErrorLimit: 1, perDialTimeout: 2, ignoreHostKey: true };
const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 47_001 }, { udp: 58_002 }] } };
const given = { connection, policy: { name: "edge", gates: [gate] } };

function read(raw: object): RulesetArguments {
  const reading = readArguments({ ...given, ...raw });
  if (reading.kind !== "arguments") throw new Error(JSON.stringify(reading));
  return reading.arguments;
}

const before = read({});
const settled = { digest: digestText(renderPolicy(before.policy)), drift: [], counters: {} };

test.each<readonly [string, object]>([
  ["nothing", {}],
  ["what is left behind", { deleteUnreachable: true }],
  ["what is taken over", { adopt: true }],
  ["the time to undo after", { undoAfterSeconds: 90 }],
  ["how long to try", { connection: { ...connection, dialErrorLimit: 3, perDialTimeout: 9 } }],
  ["a test of the policy", { policy: { ...given.policy, acceptRisks: ["knock-too-short"] } }],
])("no host is needed for a change of %s", (_what, more) => {
  expect(needsHost(before, read(more), settled)).toBe(false);
  expect(needsHost(read(more), before, settled)).toBe(false);
});

test.each<readonly [string, object]>([
  ["the user", { connection: { ...connection, user: "ops" } }],
  ["the key to log in", { connection: { ...connection, privateKey: "one" } }],
  ["the host's key", { connection: { ...connection, ignoreHostKey: false } }],
  ["the port of SSH", { connection: { ...connection, port: 2 } }],
  ["the policy", { policy: { ...given.policy, gates: [{ ...gate, openForSeconds: 31 }] } }],
  [
    "the policy, and what is left behind",
    { policy: { ...given.policy, stealth: true }, deleteUnreachable: true },
  ],
])("the host is needed for a change of %s", (_what, more) => {
  expect(needsHost(before, read(more), settled)).toBe(true);
});

test.each([
  ["the last refresh found drift", { ...settled, drift: ["gone: all"] }],
  ["its last change failed", { ...settled, failure: "the gate stayed shut" }],
  ["it has another ruleset", { ...settled, digest: "" }],
])("the host is needed when %s, but not for deleteUnreachable", (_what, recorded) => {
  expect(needsHost(before, read({ adopt: true }), recorded)).toBe(true);
  expect(needsHost(before, read({ deleteUnreachable: true }), recorded)).toBe(false);
  expect(needsHost(read({ deleteUnreachable: true }), before, recorded)).toBe(true);
  expect(needsHost(read({ deleteUnreachable: true }), read({ deleteUnreachable: true }), recorded)).toBe(
    true,
  );
});

test("what is known of the host stays in the state when it is not asked", async () => {
  const { inputs: olds } = await check({}, { ...given, redactionKey: "" });
  const obstacles = ["inet site input tcp 22"];
  const found = { ruleset: "other", drift: ["gone: all"], digest: "", obstacles, counters: {} };
  const { inputs: news } = await check(olds, { ...given, deleteUnreachable: true });
  const known = await update("edge-1", { ...olds, ...settled }, news);
  expect(known.outs).toEqual({ ...news, ...settled });
  const { outs } = await update("edge-1", { ...olds, ...found }, news);
  expect(outs).toEqual({ ...news, ...found });
  expect(JSON.stringify(outs)).not.toContain("undefined");
});
