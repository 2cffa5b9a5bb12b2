import { describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { changeHost } from "../../../src/change/change";
import type { ChangeRequest } from "../../../src/change/request";
import { KnockgateError } from "../../../src/errors";
import { digestText } from "../../../src/policy/digest";
import { stepsOf } from "../../../src/policy/knock";
import { parsePolicy } from "../../../src/policy/parse";
import type { Policy } from "../../../src/policy/policy";
import type { StepInput } from "../../../src/policy/step";
import { type FakeHost, type FakeHostOptions, type Fault, makeFakeHost } from "../fake-host";

const oldPolicy = makePolicy([{ tcp: 47_001 }, { udp: 58_002 }]);
const newPolicy = makePolicy([{ tcp: 41_101 }, { udp: 52_102 }, { tcp: 33_103 }]);
const ports = /(?<!\w)(47001|58002|41101|52102|33103)(?!\w)/;
const old = renderPolicy(oldPolicy);
const confirmed = { policy: oldPolicy, owner: "me" };
const update: ChangeRequest = {
  policy: newPolicy,
  formerPolicies: [oldPolicy],
  owner: "me",
  undoAfterSeconds: 60,
};

function makePolicy(steps: readonly StepInput[], more: object = {}): Policy {
  const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 30, ...more };
  const reading = parsePolicy({ name: "edge", gates: [gate] });
  if (reading.kind === "wrong") throw new Error(reading.findings[0]?.message);
  return reading.policy;
}

async function fail(host: FakeHost, request = update): Promise<KnockgateError> {
  const failure = await changeHost(request, host.context).catch((error: unknown) => error);
  if (failure instanceof KnockgateError) return failure;
  throw new Error(`no KnockgateError: ${String(failure)}`);
}

describe("a change that succeeds", () => {
  test("logs its six steps in order, with host and policy on each line, and no port of a step", async () => {
    const host = makeFakeHost({ confirmed, policies: [newPolicy] });
    expect(await changeHost(update, host.context)).toEqual({
      digest: digestText(renderPolicy(newPolicy)),
      obstacles: [],
    });
    expect(host.lines.map((line) => /^edge on edge\.test:22: (\d\/6 \w+): /.exec(line)?.[1])).toEqual([
      "1/6 connect",
      "2/6 stage",
      "3/6 arm",
      "4/6 load",
      "5/6 prove",
      "5/6 prove",
      "6/6 confirm",
    ]);
    expect(host.lines.join("\n")).not.toMatch(ports);
  });

  test("arms before it loads, and confirms over a connection made after that", async () => {
    const host = makeFakeHost({ confirmed, policies: [newPolicy] });
    await changeHost(update, host.context);
    expect(host.calls).toEqual(["1 probe", "1 stage", "1 arm", "1 load", "1 count", "2 confirm"]);
    expect(host.state).toMatchObject({ loaded: renderPolicy(newPolicy), openConnections: 0 });
    expect(host.state.confirmed).toMatchObject({ text: renderPolicy(newPolicy), owner: "me" });
    expect(host.state.pending).toBeUndefined();
  });

  test("is made on a host that had nothing", async () => {
    const host = makeFakeHost({ policies: [newPolicy] });
    await changeHost({ ...update, formerPolicies: [] }, host.context);
    expect(host.state).toMatchObject({ loaded: renderPolicy(newPolicy), openConnections: 0 });
  });

  test("says that open doors stay open only when they do", async () => {
    const host = makeFakeHost({ confirmed, policies: [newPolicy] });
    await changeHost(update, host.context);
    const first = makeFakeHost({ policies: [newPolicy] });
    await changeHost({ ...update, formerPolicies: [] }, first.context);
    expect([host, first].map(({ lines }) => lines[3]?.includes("open doors stay open"))).toEqual([
      true,
      false,
    ]);
  });

  test("stages nothing on a host that has the ruleset confirmed and loaded", async () => {
    const host = makeFakeHost({ confirmed, policies: [] });
    await changeHost({ ...update, policy: oldPolicy }, host.context);
    expect(host.calls).toEqual(["1 probe"]);
    expect(host.lines.at(-1)).toContain("nothing to change");
    expect(host.state.openConnections).toBe(0);
  });

  test("adopts an equal ruleset of another owner, and loads nothing", async () => {
    const host = makeFakeHost({ confirmed: { policy: oldPolicy, owner: "other" }, policies: [] });
    await changeHost({ ...update, policy: oldPolicy, formerPolicies: [] }, host.context);
    expect(host.state.confirmed?.owner).toBe("me");
    expect(host.calls).toEqual(["1 probe", "1 adopt"]);
    expect(host.lines.at(-1)).toContain(
      "confirmed and loaded by other; it now belongs to the owner of this change",
    );
  });

  test("changes what another owner has confirmed when it may adopt", async () => {
    const host = makeFakeHost({ confirmed: { policy: oldPolicy, owner: "other" }, policies: [newPolicy] });
    await changeHost({ ...update, adopts: true }, host.context);
    expect(host.state.confirmed).toMatchObject({ text: renderPolicy(newPolicy), owner: "me" });
  });

  test("tries the knock of a policy that may gate the host first, also after the host's own undo", async () => {
    const host = makeFakeHost({
      confirmed,
      policies: [newPolicy],
      faults: [
        { at: "confirm", kind: "cut before" },
        { at: "undo", kind: "cut before" },
      ],
    });
    const knocks: unknown[] = [];
    let connections = 0;
    const routes = host.context.routes.map((route) => ({
      ...route,
      knock: (steps: Parameters<typeof route.knock>[0]) => {
        knocks.push(steps);
        return route.knock(steps);
      },
      connect: (timeoutMs: number) => {
        connections += 1;
        // The first connection looked, the second proved. Before the third the host's timer has run.
        if (connections === 3) host.elapse();
        return route.connect(timeoutMs);
      },
    }));
    const gated = { ...update, formerPolicies: [], gatedBy: [oldPolicy] };
    await expect(changeHost(gated, { ...host.context, routes })).rejects.toThrow(
      "The host has put back by itself what it had before.",
    );
    expect(knocks[0]).toEqual(oldPolicy.gates.flatMap(stepsOf));
    expect(host.state).toMatchObject({ loaded: renderPolicy(oldPolicy), openConnections: 0 });
  });

  test("replaces the table when somebody's change to it makes a refill fail", async () => {
    const fault: Fault = { at: "stage", kind: "refuses", code: 12, stderr: "File exists" };
    const host = makeFakeHost({ confirmed, policies: [newPolicy], faults: [fault] });
    await changeHost(update, host.context);
    expect(host.calls.filter((call) => call.endsWith("stage"))).toHaveLength(2);
    expect(host.lines[3]).not.toContain("open doors stay open");
    expect(host.state.confirmed?.text).toBe(renderPolicy(newPolicy));
  });

  test("knocks again when a knock gets lost", async () => {
    const host = makeFakeHost({ confirmed, policies: [newPolicy], lostKnocks: 2 });
    await changeHost(update, host.context);
    expect(host.state.confirmed?.text).toBe(renderPolicy(newPolicy));
  });

  test("counts when only the answer to confirm got lost", async () => {
    const fault: Fault = { at: "confirm", kind: "cut after" };
    const host = makeFakeHost({ confirmed, policies: [newPolicy], faults: [fault] });
    expect(await changeHost(update, host.context)).toEqual({
      digest: digestText(renderPolicy(newPolicy)),
      obstacles: [],
    });
    expect(host.lines.at(-1)).toContain("the answer was lost, but the host has confirmed the change");
    expect(host.state.openConnections).toBe(0);
  });
});

const untouched = /Nothing was changed on the host\./;
const putBack = /The host has put back what it had before\./;
const willPutBack = /the host's own timer will put back what it had before within 60 s\./;
const nftSays =
  "/var/lib/load:7:1-9: Error: syntax error\n\t\ttcp dport 41101 update\n                ^^^\nudp dport 52102: what?";

interface Failure {
  readonly what: string;
  readonly options: Partial<FakeHostOptions>;
  readonly code: string;
  /** The step that failed, in the message's words. */
  readonly step: RegExp;
  /** What the host has now. */
  readonly state: RegExp;
}

const lost = (at: Fault["at"], kind: Fault["kind"], state: RegExp, code: string): Failure => ({
  what: `the connection is ${kind} ${at}`,
  options: { faults: [{ at, kind }] },
  code,
  step: /connection was lost/,
  state,
});

const failures: readonly Failure[] = [
  {
    what: "no connection comes about",
    options: { isUnreachable: true },
    code: "UNREACHABLE",
    step: /no SSH connection was made/,
    state: untouched,
  },
  {
    what: "the probe's answer makes no sense",
    options: { faults: [{ at: "probe", kind: "babbles" }] },
    code: "HOST_FAILED",
    step: /could not be observed/,
    state: untouched,
  },
  {
    what: "the host lacks something",
    options: { nftVersion: "0.9.2" },
    code: "HOST_UNFIT",
    step: /nft 0\.9\.2 is older than 0\.9\.3, .*: upgrade the package nftables/,
    state: untouched,
  },
  {
    what: "the host refuses the ruleset",
    // The second refusal is of the table's replacement, which is tried when a refill is refused.
    options: {
      faults: [
        { at: "stage", kind: "refuses", code: 12, stderr: nftSays },
        { at: "stage", kind: "refuses", code: 12, stderr: nftSays },
      ],
    },
    code: "STAGE_FAILED",
    step: /stage failed: .*syntax error; udp dport <secret>: what\?/,
    state: untouched,
  },
  {
    what: "the host answers stage with something else",
    options: { faults: [{ at: "stage", kind: "babbles" }] },
    code: "HOST_FAILED",
    step: /stage failed/,
    state: untouched,
  },
  {
    what: "another change is pending",
    options: {
      faults: [{ at: "stage", kind: "refuses", code: 11, stderr: "another change; in at most 9 seconds" }],
    },
    code: "CHANGE_PENDING",
    step: /in at most 9 seconds/,
    state: untouched,
  },
  {
    what: "the timer can't be started",
    options: { faults: [{ at: "arm", kind: "refuses", code: 10, stderr: "no timer" }] },
    code: "HOST_FAILED",
    step: /arm failed: no timer/,
    state: untouched,
  },
  {
    what: "the ruleset can't be loaded",
    options: { faults: [{ at: "load", kind: "refuses", stderr: nftSays }] },
    code: "NOT_CONFIRMED",
    step: /load failed: /,
    state: putBack,
  },
  {
    what: "a port answers before the knock",
    options: { leaks: true },
    code: "NOT_CONFIRMED",
    step: /TCP port 22 of gate ssh answers before the knock \(open\)/,
    state: putBack,
  },
  {
    what: "the knock does not open",
    options: { lostKnocks: 3 },
    code: "NOT_CONFIRMED",
    step: /no fresh SSH connection came through after 3 knocks/,
    state: putBack,
  },
  {
    what: "the host refuses to confirm",
    options: { faults: [{ at: "confirm", kind: "refuses", stderr: "the table changed: 41101" }] },
    code: "NOT_CONFIRMED",
    step: /confirm failed: the table changed: <secret>/,
    state: putBack,
  },
  {
    what: "the host does not read back what was sent",
    options: { faults: [{ at: "confirm", kind: "babbles" }] },
    code: "NOT_CONFIRMED",
    step: /confirm failed: \w/,
    state: putBack,
  },
  {
    what: "the host vanishes after the load",
    options: { faults: [{ at: "load", kind: "cut after", vanishes: true }] },
    code: "NOT_CONFIRMED",
    step: /connection was lost/,
    state: willPutBack,
  },
  {
    what: "the undo fails as well",
    options: {
      faults: [
        { at: "load", kind: "refuses", stderr: "no memory" },
        { at: "undo", kind: "refuses", code: 14 },
        { at: "undo", kind: "refuses", code: 14 },
      ],
    },
    code: "NOT_CONFIRMED",
    // The host was reached, so the message must not say that it can't be reached.
    step: /load failed: no memory\. (?!.*can't be reached)/,
    state: willPutBack,
  },
  lost("probe", "cut before", untouched, "UNREACHABLE"),
  lost("probe", "cut after", untouched, "UNREACHABLE"),
  lost("stage", "cut before", untouched, "UNREACHABLE"),
  lost("stage", "cut after", untouched, "UNREACHABLE"),
  lost("arm", "cut before", untouched, "UNREACHABLE"),
  lost("arm", "cut after", putBack, "NOT_CONFIRMED"),
  lost("load", "cut before", putBack, "NOT_CONFIRMED"),
  lost("load", "cut after", putBack, "NOT_CONFIRMED"),
  lost("confirm", "cut before", putBack, "NOT_CONFIRMED"),
];

const cases = failures.map((failure) => [failure.what, failure] as const);

describe("a change that fails because", () => {
  test.each(cases)("%s: the old ruleset stands, or the undo is armed", async (_what, { options }) => {
    const host = makeFakeHost({ confirmed, policies: [newPolicy], ...options });
    await fail(host);
    const { loaded, pending } = host.state;
    expect(loaded === old || pending?.undo === old).toBe(true);
    expect(host.state.confirmed?.text).toBe(old);
    expect(host.state.openConnections).toBe(0);
    host.elapse();
    expect(host.state).toMatchObject({ loaded: old, pending: undefined });
  });

  test.each(cases)(
    "%s: the message says where, what, the host's state and what to do",
    async (_what, failure) => {
      const host = makeFakeHost({ confirmed, policies: [newPolicy], ...failure.options });
      const { code, message } = await fail(host);
      expect(message).toMatch(/^policy edge on edge\.test:22: [1-6]\/6 [a-z]+ failed: /);
      expect(message).toMatch(failure.step);
      expect(message).toMatch(failure.state);
      expect(message).toContain("Running it again is safe.");
      expect(message).toMatch(new RegExp(`\\[${failure.code}\\]$`));
      expect(code).toBe(failure.code);
      expect(message).not.toMatch(ports);
      expect(message).not.toMatch(/[.?!;:]\. |undefined|\[object/);
      expect(host.lines.join("\n")).not.toMatch(ports);
    },
  );

  test.each(
    cases.filter(([, { options }]) => options.isUnreachable !== true && options.nftVersion === undefined),
  )("%s: running it again ends well", async (_what, { options }) => {
    const host = makeFakeHost({ confirmed, policies: [newPolicy], ...options, leaks: false });
    if (options.leaks !== true) await fail(host);
    host.elapse();
    await changeHost(update, host.context);
    expect(host.state.confirmed?.text).toBe(renderPolicy(newPolicy));
  });

  test.each(cases)("%s: a host that had nothing has nothing again", async (_what, { options }) => {
    const host = makeFakeHost({ policies: [newPolicy], ...options });
    await fail(host, { ...update, formerPolicies: [] });
    host.elapse();
    expect(host.state).toMatchObject({ loaded: undefined, confirmed: undefined, pending: undefined });
  });
});
