import { expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { removeFromHost } from "../../../src/change/remove";
import { parsePolicy } from "../../../src/policy/parse";
import { type Fault, makeFakeHost } from "../fake-host";

const policy = (() => {
  const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 47_001 }] } };
  const reading = parsePolicy({ name: "edge", gates: [gate] });
  if (reading.kind === "wrong") throw new Error("wrong");
  return reading.policy;
})();
const confirmed = { policy, owner: "me" };

test("knocks, removes, and says so", async () => {
  const host = makeFakeHost({ confirmed, policies: [] });
  await removeFromHost(policy, "me", host.context);
  expect(host.state).toMatchObject({ loaded: undefined, confirmed: undefined, openConnections: 0 });
  expect(host.calls).toEqual(["1 remove"]);
  expect(host.lines).toEqual(["edge on edge.test:22: the gate is removed, and nothing else"]);
});

test("leaves what another resource owns by now, and says so", async () => {
  const host = makeFakeHost({ confirmed, policies: [] });
  await removeFromHost(policy, "other", host.context);
  expect(host.state.loaded).toBe(renderPolicy(policy));
  expect(host.lines).toEqual([
    "edge on edge.test:22: not touched, because it now belongs to another resource",
  ]);
});

test.each<[string, Fault, string, RegExp]>([
  [
    "another change is pending",
    { at: "remove", kind: "refuses", code: 11, stderr: "another change is pending" },
    "CHANGE_PENDING",
    /^policy edge on edge\.test:22 was not removed: another change is pending\./,
  ],
  [
    "the host fails",
    { at: "remove", kind: "refuses", stderr: "nft could not delete the table: 47001" },
    "HOST_FAILED",
    /was not removed: nft could not delete the table: <secret>\./,
  ],
  [
    "the answer makes no sense",
    { at: "remove", kind: "babbles" },
    "HOST_FAILED",
    /was not removed: exit code 0\./,
  ],
  ["the connection is cut", { at: "remove", kind: "cut before" }, "UNREACHABLE", /edge\.test:22/],
])("fails when %s, and leaves the gate as it was and no connection", async (_what, fault, code, message) => {
  const host = makeFakeHost({ confirmed, policies: [], faults: [fault] });
  await expect(removeFromHost(policy, "me", host.context)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  expect(host.state).toMatchObject({ loaded: renderPolicy(policy), openConnections: 0 });
  await removeFromHost(policy, "me", host.context);
  expect(host.state.confirmed).toBeUndefined();
});
