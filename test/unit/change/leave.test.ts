import { describe, expect, test } from "vitest";
import { type Leaving, removeOrLeave } from "../../../src/change/leave";
import { type ErrorCode, KnockgateError } from "../../../src/errors";
import type { Route } from "../../../src/ssh/host";
import { makePolicy, oldPolicy } from "../../suites/host/policies";
import type { Fault } from "../fake-host";
import { makeFakeHost } from "../fake-host";

const confirmed = { policy: oldPolicy, owner: "edge-1" };
const ports = /47001|58002|39003/;

function leave(more: Partial<Leaving> = {}): { leaving: Leaving; lines: string[] } {
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const leaving = {
    policy: oldPolicy,
    owner: "edge-1",
    host: "edge.test",
    deleteUnreachable: false,
    log,
    possible: [oldPolicy],
  };
  return { leaving: { ...leaving, ...more }, lines };
}

/** The error, and when it comes: at dialling, or already when a way to the host is looked up. */
const gone = [
  ["UNREACHABLE", "is dialled"],
  ["UNREACHABLE", "is looked up"],
  ["HOST_KEY_MISMATCH", "is dialled"],
] as const;

/** @param life what still answers at the host; default: nothing */
function open(
  code: ErrorCode,
  when: string,
  life: Partial<Pick<Route, "probePort" | "ping">> = {},
): Parameters<typeof removeOrLeave>[1] {
  const host = makeFakeHost({ confirmed, policies: [] });
  const failure = new KnockgateError(code, "edge.test:22: nobody there.");
  return async (use) => {
    if (when === "is looked up") throw failure;
    const [route] = host.context.routes;
    if (route === undefined) throw new Error("no route");
    const probePort = () => Promise.resolve("silent" as const);
    const dead = { ...route, connect: () => Promise.reject(failure), probePort, ...life };
    await use({ ...host.context, routes: [dead] });
  };
}

describe("removing a gate from a host that is gone", () => {
  test.each(gone.slice(0, 2))(
    "fails with %s when it %s, and the message says which option there is",
    async (code, when) => {
      const { leaving, lines } = leave();
      await expect(removeOrLeave(leaving, open(code, when))).rejects.toMatchObject({
        code,
        message: expect.stringMatching(
          /^policy edge on edge\.test was not removed: .*`deleteUnreachable: true`.*`pulumi up`.*KNOCKGATE_DELETE_UNREACHABLE=true/,
        ),
      });
      expect(lines).toEqual([]);
    },
  );

  test.each<[string, Partial<Pick<Route, "probePort" | "ping">>, string]>([
    [
      "refuses its SSH port",
      { probePort: async (port) => (port === 22 ? "refused" : "silent") },
      "edge.test:22: TCP port 22 is refused",
    ],
    [
      "has another port open",
      { probePort: async (port) => (port === 443 ? "open" : "silent") },
      "edge.test:22: TCP port 443 is open",
    ],
    ["answers a ping", { ping: async () => true }, "edge.test:22: it answers a ping"],
  ])("fails where it %s, says so, and does not advise to leave its gate", async (_what, life, said) => {
    const { leaving } = leave();
    const { message } = await removeOrLeave(leaving, open("UNREACHABLE", "is dialled", life)).then(
      () => ({ message: "it was left" }),
      (error: Error) => error,
    );
    expect(message).toContain(`A machine answers there (${said}): if it is this host, its gate is still up.`);
    expect(message).not.toMatch(/deleteUnreachable|DELETE_UNREACHABLE/);
  });

  test("fails where another key answers, and does not advise to leave its gate", async () => {
    const { leaving } = leave();
    const failing = removeOrLeave(leaving, open("HOST_KEY_MISMATCH", "is dialled"));
    await expect(failing).rejects.toThrow(/If this host has a new key.*docs\/leaving\.md/);
    await expect(failing).rejects.not.toThrow(/deleteUnreachable|DELETE_UNREACHABLE/);
  });

  test("says what still answers when it leaves a gate on its host", async () => {
    const { leaving, lines } = leave({ deleteUnreachable: true });
    await removeOrLeave(leaving, open("UNREACHABLE", "is dialled", { ping: async () => true }));
    expect(lines[1]).toBe(
      "warning: edge on edge.test: a machine still answers there: edge.test:22: it answers a ping",
    );
  });

  test.each(gone)(
    "succeeds with %s when it %s and may be left, and the log says what is left",
    async (code, when) => {
      const { leaving, lines } = leave({ deleteUnreachable: true });
      await removeOrLeave(leaving, open(code, when));
      expect(lines).toEqual([
        expect.stringMatching(
          /^warning: edge on edge\.test: not removed from the host, only from the state: edge\.test:22: /,
        ),
        expect.stringMatching(
          /its gate is still up; run there as root: sh \/var\/lib\/knockgate\/edge\/host\.sh remove edge edge-1 nftables$/,
        ),
      ]);
      expect(lines.join("\n")).not.toMatch(ports);
    },
  );
});

describe("removing a gate that may be left", () => {
  test("removes it where the host is there", async () => {
    const host = makeFakeHost({ confirmed, policies: [] });
    const { leaving, lines } = leave({ deleteUnreachable: true });
    await removeOrLeave(leaving, (use) => use(host.context));
    expect(host.state).toMatchObject({ loaded: undefined, confirmed: undefined, openConnections: 0 });
    expect(lines).toEqual(["edge on edge.test:22: the gate is removed, and nothing else"]);
  });

  test.each<[string, Fault]>([
    ["fails", { at: "remove", kind: "refuses", stderr: "nft failed" }],
    ["was reached and is lost then", { at: "remove", kind: "cut before", vanishes: true }],
  ])("fails where the host %s", async (_what, fault) => {
    const host = makeFakeHost({ confirmed, policies: [], faults: [fault] });
    const { leaving } = leave({ deleteUnreachable: true });
    await expect(removeOrLeave(leaving, (use) => use(host.context))).rejects.toBeInstanceOf(KnockgateError);
    expect(host.state.confirmed).toBeDefined();
  });

  test.each(["LOGIN_REFUSED", "HOST_KEY_UNKNOWN", "NOT_ALLOWED"] as const)("fails with %s", async (code) => {
    const { leaving } = leave({ deleteUnreachable: true });
    await expect(removeOrLeave(leaving, open(code, "is dialled"))).rejects.toMatchObject({ code });
  });

  test("fails where a bastion on the way has another key: the host may well be there", async () => {
    const { leaving } = leave({ deleteUnreachable: true });
    const failing = removeOrLeave(leaving, open("HOST_KEY_MISMATCH", "is looked up"));
    await expect(failing).rejects.toMatchObject({ code: "HOST_KEY_MISMATCH" });
  });

  test("says the command for the backend that the policy has", async () => {
    const policy = makePolicy({ backend: "iptables", scope: "prerouting" });
    const { leaving, lines } = leave({ policy, deleteUnreachable: true });
    await removeOrLeave(leaving, open("UNREACHABLE", "is dialled"));
    expect(lines[1]).toMatch(/ remove edge edge-1 iptables_mangle$/);
  });
});
