import { describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { changeHost } from "../../../src/change/change";
import { checkHealth } from "../../../src/change/health";
import type { ChangeRequest } from "../../../src/change/request";
import { KnockgateError } from "../../../src/errors";
import { parsePolicy } from "../../../src/policy/parse";
import type { Policy } from "../../../src/policy/policy";
import type { StepInput } from "../../../src/policy/step";
import type { CommandResult, HostConnection } from "../../../src/ssh/host";
import { type Fault, makeFakeHost } from "../fake-host";

const oldPolicy = makePolicy([{ tcp: 47_001 }, { udp: 58_002 }]);
const policy = makePolicy([{ tcp: 41_101 }, { udp: 52_102 }, { tcp: 33_103 }]);
const health = { command: "systemctl is-active web # all of it", timeoutSeconds: 7 };
const request: ChangeRequest = {
  policy,
  formerPolicies: [oldPolicy],
  owner: "me",
  undoAfterSeconds: 60,
  health,
};

function makePolicy(steps: readonly StepInput[]): Policy {
  const reading = parsePolicy({
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }],
  });
  if (reading.kind === "wrong") throw new Error(reading.findings[0]?.message);
  return reading.policy;
}

/** Checks a host that gives this answer. Returns what it was asked, what was logged, and what was thrown. */
async function ask(answer: Partial<CommandResult> | Error) {
  const asked: unknown[][] = [];
  const lines: string[] = [];
  const connection: HostConnection = {
    run: async (...words) => {
      asked.push(words);
      if (answer instanceof Error) throw answer;
      return { code: 0, stdout: "", stderr: "", ...answer };
    },
    close: () => undefined,
  };
  const log = (line: string) => lines.push(line);
  const error = await checkHealth(connection, { policy, health }, log).catch((cause: unknown) => cause);
  return { asked, lines, error };
}

describe("asking a host whether it is well", () => {
  test("runs the command with nothing to read and its own time, and logs that it ended well", async () => {
    const { asked, lines, error } = await ask({ stdout: "active\n" });
    expect(error).toBeUndefined();
    expect(asked).toEqual([[{ commands: "eval 'systemctl is-active web # all of it'\n" }, 7_000]]);
    expect(lines).toEqual(["healthy: the health command ended with exit code 0"]);
  });

  test("runs nothing where there is no command", async () => {
    const lines: string[] = [];
    const refuse = () => Promise.reject(new Error("nobody asked"));
    await checkHealth({ run: refuse, close: () => undefined }, { policy }, (line) => lines.push(line));
    expect(lines).toEqual([]);
  });

  test.each<readonly [string, Partial<CommandResult>, string]>([
    ["its exit code alone", {}, "ended with exit code 3 ["],
    ["the last line of its errors", { stderr: "one\ntwo\n\n", stdout: "out" }, "exit code 3: two ["],
    ["the last line that it printed, where it wrote no error", { stdout: "one\nlast\n" }, "code 3: last ["],
    ["no more than a line's beginning", { stderr: "x".repeat(900) }, `code 3: ${"x".repeat(200)} [`],
    ["no port of a step", { stderr: "udp 52102 and 41101 drop" }, "code 3: udp <secret> and <secret> drop ["],
    ["no part of such a port", { stderr: `${"x".repeat(196)} 41101` }, `code 3: ${"x".repeat(196)} <se [`],
  ])("an exit code other than 0 is reported with %s", async (_what, answer, words) => {
    const { error, lines } = await ask({ code: 3, ...answer });
    expect(error).toBeInstanceOf(KnockgateError);
    expect(error).toMatchObject({ code: "NOT_CONFIRMED", message: expect.stringContaining(words) });
    expect(lines).toEqual([]);
  });

  test.each([
    new KnockgateError("UNREACHABLE", "edge.test:22: no answer in 7 s after 33103"),
    new Error("no answer in 7 s after 33103"),
  ])(
    "a command that does not end is reported as such, with its cause and no port of a step: %s",
    async (cause) => {
      const { error, lines } = await ask(cause);
      expect(error).toMatchObject({ code: "NOT_CONFIRMED", cause });
      expect(`${error}`).toMatch(
        /the health command did not end: .*no answer in 7 s after <secret> \[NOT_CONFIRMED\]/,
      );
      expect(lines).toEqual([]);
    },
  );
});

describe("a change with a health command", () => {
  const confirmed = { policy: oldPolicy, owner: "me" };

  test("asks after the proof and before it confirms, over the connection that came through the new gate", async () => {
    const host = makeFakeHost({ confirmed, policies: [policy] });
    await changeHost(request, host.context);
    expect(host.calls).toEqual(["1 probe", "1 stage", "1 arm", "1 load", "1 count", "2 health", "2 confirm"]);
    expect(host.health).toEqual([`eval '${health.command}'\n`]);
    expect(host.lines.slice(-3).map((line) => /(\d\/6 \w+: .{7})/.exec(line)?.[1])).toEqual([
      expect.stringMatching(/^5\/6 prove: /),
      "5/6 prove: healthy",
      expect.stringMatching(/^6\/6 confirm: /),
    ]);
    expect(host.state).toMatchObject({ loaded: renderPolicy(policy), openConnections: 0 });
  });

  test.each<readonly [string, Fault, RegExp]>([
    [
      "ends with an exit code but 0",
      { at: "health", kind: "refuses", code: 4, stderr: "port 41101 is dead" },
      /the health command ended with exit code 4: port <secret> is dead\. The host has put back what it had before\./,
    ],
    [
      "does not end",
      { at: "health", kind: "cut after" },
      /the health command did not end: .* The host has put back what it had before\./,
    ],
  ])("undoes when the command %s, and confirms nothing", async (_what, fault, words) => {
    const host = makeFakeHost({ confirmed, policies: [policy], faults: [fault] });
    const error = await changeHost(request, host.context).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "NOT_CONFIRMED", mayHaveConfirmed: false });
    expect(`${error}`).toMatch(words);
    expect(`${error}`).toContain("5/6 prove failed");
    expect(host.calls).not.toContain("2 confirm");
    const old = renderPolicy(oldPolicy);
    expect(host.state).toMatchObject({ loaded: old, pending: undefined, openConnections: 0 });
    expect(host.state.confirmed?.text).toBe(old);
  });

  test("asks nothing where the proof has failed already", async () => {
    const host = makeFakeHost({ confirmed, policies: [policy], leaks: true });
    await expect(changeHost(request, host.context)).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
    expect(host.health).toEqual([]);
  });

  test("asks nothing where the host has the ruleset already", async () => {
    const host = makeFakeHost({ confirmed: { policy, owner: "me" }, policies: [] });
    await changeHost({ ...request, formerPolicies: [policy] }, host.context);
    expect(host.calls).toEqual(["1 probe"]);
  });
});
