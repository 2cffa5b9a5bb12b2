import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { renderPolicy } from "../../../../src/backends/render";
import { withProvingRoutes } from "../../../../src/change/open-routes";
import { parsePolicy } from "../../../../src/policy/parse";
import type { Policy } from "../../../../src/policy/policy";
import { writePolicy } from "../../../../src/policy/written-policy";
import { applyAgain, mapHosts, putBack } from "../../../../src/pulumi/fleet/rollback";
import { type FakeHost, type FakeHostOptions, makeFakeHost } from "../../fake-host";

vi.mock("../../../../src/change/open-routes", () => ({ withProvingRoutes: vi.fn() }));

const [oldPolicy, newPolicy] = [makePolicy(47_001), makePolicy(41_101)];
const [old, wanted] = [renderPolicy(oldPolicy), renderPolicy(newPolicy)];
const owner = "edge-1";
const health = { command: "true", timeoutSeconds: 5 };
const connection = { host: "edge.test", password: "very private" };
/** A wave's data about a successful change, from the old policy or from nothing. */
const changed = (former: readonly Policy[]) => ({
  id: owner,
  state: {
    connection,
    policy: writePolicy(newPolicy),
    undoAfterSeconds: 90,
    health,
    former: former.map(writePolicy),
  },
});
const took = { seconds: expect.any(Number) };

let host: FakeHost;

function makePolicy(port: number): Policy {
  const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: port }] } };
  const reading = parsePolicy({ name: "edge", gates: [gate] });
  if (reading.kind === "wrong") throw new Error(reading.findings[0]?.message);
  return reading.policy;
}

function setHost(has: Policy | undefined, more: Partial<FakeHostOptions> = {}): void {
  const confirmed = has === undefined ? {} : { confirmed: { policy: has, owner } };
  host = makeFakeHost({ policies: [oldPolicy, newPolicy], ...confirmed, ...more });
}

/** The policies whose knocks could be sent. */
const known = () => vi.mocked(withProvingRoutes).mock.calls.map(([, policies]) => policies);

beforeEach(() => {
  vi.mocked(withProvingRoutes).mockImplementation((_wanted, _policies, _log, use) => use(host.context));
});
afterEach(() => {
  expect(host.lines.join("\n")).not.toMatch(/47001|41101|very private/);
  vi.clearAllMocks();
});

describe("putting a host back", () => {
  test("brings it to its former policy, and does not run the health command", async () => {
    setHost(newPolicy);
    expect(await putBack("a", changed([oldPolicy]))).toEqual({ host: "a", result: "undone", ...took });
    expect(host.state).toMatchObject({ loaded: old, confirmed: { text: old, owner }, openConnections: 0 });
    expect(host.health).toEqual([]);
    expect(host.lines.join()).toContain("in 90 s unless it is confirmed");
    expect(known()).toEqual([[newPolicy, oldPolicy]]);
  });

  test("removes the policy where there was none before", async () => {
    setHost(newPolicy);
    expect(await putBack("a", changed([]))).toEqual({ host: "a", result: "undone", ...took });
    expect(host.state).toMatchObject({ loaded: undefined, confirmed: undefined });
  });

  test.each([
    ["brought back", [oldPolicy], { at: "stage", kind: "refuses", stderr: "47001?" } as const],
    ["removed", [], { at: "remove", kind: "refuses", stderr: "41101?" } as const],
  ])("says why it could not be %s, and does not throw", async (_what, former, fault) => {
    setHost(newPolicy, { faults: [fault] });
    const result = await putBack("a", changed(former));
    expect(result).toEqual({ host: "a", result: "failed", failure: expect.any(String), ...took });
    expect(result.failure).toMatch(/^putting it back failed: .*<secret>\?.*/);
    expect(host.state).toMatchObject({ loaded: wanted, pending: undefined });
  });

  test("does not throw for a foreign error, or for a state that can't be read", async () => {
    vi.mocked(withProvingRoutes).mockRejectedValue(new TypeError("a slip"));
    const slip = await putBack("a", changed([]));
    expect(slip).toMatchObject({ result: "failed", failure: expect.stringMatching(/a slip$/) });
    expect(await putBack("a", { id: owner, state: {} })).toMatchObject({
      result: "failed",
      failure: expect.stringContaining("POLICY_INVALID"),
    });
  });
});

describe("bringing a host that was put back to its ruleset again", () => {
  test.each([
    ["what it had before", oldPolicy],
    ["nothing", undefined],
  ])("goes from %s, and runs the health command", async (_what, has) => {
    setHost(has);
    const former = has === undefined ? [] : [has];
    expect(await applyAgain("a", changed(former))).toEqual({ host: "a", result: "changed", ...took });
    expect(host.state).toMatchObject({ loaded: wanted, confirmed: { text: wanted, owner } });
    expect(host.health).toHaveLength(1);
    expect(known()).toEqual([[...former, newPolicy]]);
  });

  test("says why it failed, and leaves what it had", async () => {
    setHost(oldPolicy, { faults: [{ at: "health", kind: "refuses", code: 9 }] });
    const result = await applyAgain("a", changed([oldPolicy]));
    expect(result).toMatchObject({ host: "a", result: "failed", ...took });
    expect(result.failure).toMatch(
      /^policy edge on .*exit code 9\. The host has put back what it had before\./,
    );
    expect(host.state.confirmed?.text).toBe(old);
    expect(await applyAgain("a", { id: owner, state: {} })).toMatchObject({ result: "failed" });
  });
});

describe("doing something for many hosts", () => {
  test("does it for each, for no more than eight at once, and keeps their order", async () => {
    const hosts = Array.from({ length: 20 }, (_, index) => index);
    const waiting: (() => void)[] = [];
    let most = 0;
    const ending = mapHosts(hosts, async (one) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return `done ${one}`;
    });
    for (let ended = 0; ended < hosts.length; ended += 1) {
      await new Promise(setImmediate);
      most = Math.max(most, waiting.length);
      // The one that began last ends first.
      waiting.pop()?.();
    }
    expect(await ending).toEqual(hosts.map((one) => `done ${one}`));
    expect(most).toBe(8);
  });

  test("does nothing for none", async () => {
    expect(await mapHosts([], () => Promise.reject(new Error("nobody")))).toEqual([]);
  });
});
