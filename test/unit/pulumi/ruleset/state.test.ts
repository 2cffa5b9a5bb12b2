import { describe, expect, test } from "vitest";
import { writePolicy } from "../../../../src/policy/written-policy";
import type { Properties } from "../../../../src/pulumi/properties";
import { check } from "../../../../src/pulumi/ruleset/operations";
import {
  expectInputs,
  expectState,
  expectStored,
  readState,
  takeInputs,
} from "../../../../src/pulumi/ruleset/state";

const connection = { host: "203.0.113.7", password: "very-private-words" };
const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 47_001 }, { udp: 58_002 }] } };
const given = { connection, policy: { name: "edge", gates: [gate] }, redactionKey: "" };
const secrets = /very-private|47001|58002/;

async function confirmed(): Promise<Properties> {
  const { inputs } = await check({}, given);
  return { ...inputs, digest: "d1ge57", counters: {} };
}

describe("a state", () => {
  test("is kept as it was given, with what is Pulumi's own, and read with its defaults", async () => {
    const raw: Properties = { ...(await confirmed()), __provider: "exports.handler = ..." };
    const { state, wanted } = expectState(raw);
    expect(state).toEqual(raw);
    expect(state.connection).toEqual(connection);
    expect(wanted.connection).toMatchObject({ ...connection, port: 22, user: "root" });
    const { digest: _digest, counters: _counters, ...inputs } = raw;
    expect(takeInputs(state)).toEqual(inputs);
    expect(expectInputs(inputs).state).toEqual(inputs);
  });

  test.each([
    ["has no digest", { digest: undefined }],
    ["has a key that is none", { redactionKey: { steps: "47001" } }],
    ["has a policy's text for its failure", { failure: [gate] }],
    ["has something else for its drift", { drift: "very-private-words" }],
    ["tells of no time", { undoAfterSeconds: "very-private-words" }],
  ])("that %s can't be read, and the error shows no secret", async (_what, wrong) => {
    const raw = { ...(await confirmed()), ...wrong };
    expect(readState(raw)).toBeUndefined();
    const [name = ""] = Object.keys(wrong);
    const read = () => expectState(raw);
    expect(read).toThrow(new RegExp(`${name}.*\\[POLICY_INVALID\\]`, "s"));
    expect(read).not.toThrow(secrets);
  });

  test("of a wave keeps the policies that can be read", async () => {
    const { wanted } = expectState(await confirmed());
    const former = [writePolicy(wanted.policy), { name: "of another version" }];
    const { state } = expectStored({ ...given, undoAfterSeconds: 60, former });
    expect(state.former).toEqual([writePolicy(wanted.policy)]);
  });
});
