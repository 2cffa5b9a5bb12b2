import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { renderPolicy } from "../../../../src/backends/render";
import { withProvingRoutes, withRoutes } from "../../../../src/change/open-routes";
import { commandLineOwner } from "../../../../src/cli/hosts/command-context";
import { loadProfile } from "../../../../src/cli/profiles/profile-store";
import type { Policy } from "../../../../src/policy/policy";
import type { StepInput } from "../../../../src/policy/step";
import { type FakeHost, type FakeHostOptions, makeFakeHost } from "../../fake-host";
import { readPolicy } from "../../policy/read-policy";
import { play } from "../play";

vi.mock("../../../../src/change/open-routes", () => ({ withRoutes: vi.fn(), withProvingRoutes: vi.fn() }));

const declare = (steps: readonly StepInput[], name = "edge") => ({
  name,
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps] } }],
});
const [oldDeclared, newDeclared] = [
  declare([{ tcp: 47_411 }, { udp: 58_522 }, { tcp: 39_633 }]),
  declare([{ tcp: 41_411 }, { udp: 52_522 }, { tcp: 33_633 }]),
];
const [oldPolicy, newPolicy] = [readPolicy(oldDeclared), readPolicy(newDeclared)];
const secrets = /47411|58522|39633|41411|52522|33633|very private/;

let folder: string;
let environment: Record<string, string>;
let host: FakeHost;
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-hosts-"));
  environment = { HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
  writeFileSync(file("old.json"), JSON.stringify(oldDeclared));
  writeFileSync(file("new.json"), JSON.stringify(newDeclared));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function setHost(
  has: Policy | undefined,
  owner = commandLineOwner,
  more: Partial<FakeHostOptions> = {},
): void {
  const confirmed = has === undefined ? {} : { confirmed: { policy: has, owner } };
  host = makeFakeHost({ policies: [oldPolicy, newPolicy], ...confirmed, ...more });
}

beforeEach(() => {
  vi.clearAllMocks();
  vi.mocked(withRoutes).mockImplementation((_to, _policies, log, use) => use({ ...host.context, log }));
  vi.mocked(withProvingRoutes).mockImplementation((_to, _policies, log, use) =>
    use({ ...host.context, log }),
  );
});

/** No output may hold a secret. */
async function run(words: readonly string[], more: Record<string, string> = {}) {
  const played = await play(words, { environment: { ...environment, ...more } });
  expect(JSON.stringify(played)).not.toMatch(secrets);
  return played;
}

describe("knockgate apply", () => {
  test("makes the same change as the provider, and says each step and the outcome", async () => {
    setHost(undefined);
    const { exitCode, out, err, notes } = await run(["apply", file("new.json"), "edge.test"]);
    expect([exitCode, out, err]).toEqual([
      0,
      "edge on edge.test:22: the host has confirmed the policy\n",
      "",
    ]);
    expect(notes.map((line) => /: (\d)\/6 /.exec(line)?.[1])).toEqual([..."1234556"]);
    expect(host.state.confirmed).toMatchObject({ text: renderPolicy(newPolicy), owner: commandLineOwner });
    expect(host.state.openConnections).toBe(0);
  });

  test("contacts nothing when the policy does not fit the connection, and neither does plan", async () => {
    const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } }];
    const users = [{ name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" }];
    writeFileSync(file("token.json"), JSON.stringify({ name: "edge", gates, users }));
    for (const command of ["apply", "plan"]) {
      expect(await run([command, file("token.json"), "edge~1"])).toMatchObject({
        exitCode: 1,
        err: expect.stringMatching(/connection\.host: .*\[token-host\] \[POLICY_INVALID\]\n$/),
      });
    }
    expect(withRoutes).not.toHaveBeenCalled();
    expect(withProvingRoutes).not.toHaveBeenCalled();
  });

  test("with --json is silent but for one object", async () => {
    setHost(undefined);
    const { out, notes } = await run(["apply", file("new.json"), "edge.test", "--json"]);
    expect(notes).toEqual([]);
    expect(JSON.parse(out)).toMatchObject({ host: "edge.test", policy: "edge", isConfirmed: true });
    expect(JSON.parse(out).lines).toHaveLength(7);
  });

  test("gets in by the knock of --former, or of a profile, which then holds the new knock", async () => {
    setHost(oldPolicy);
    expect(await run(["apply", file("new.json"), "edge.test"])).toMatchObject({
      exitCode: 3,
      err: expect.stringMatching(
        /no SSH connection was made.*Nothing was changed on the host.*\[UNREACHABLE\]/s,
      ),
    });
    const former = ["--former", file("old.json")];
    expect(await run(["apply", file("new.json"), "edge.test", ...former])).toMatchObject({ exitCode: 0 });
    expect(vi.mocked(withProvingRoutes).mock.calls.at(-1)?.[1]).toEqual([oldPolicy, newPolicy]);

    const kept = await run(["apply", file("new.json"), "root@edge.test:22", "--profile", "edge"]);
    expect(kept.out).toContain(`; its knock is kept in ${environment["XDG_CONFIG_HOME"]}`);
    const back = await run(["apply", file("old.json"), "edge"]);
    expect(back).toMatchObject({ exitCode: 0 });
    expect(host.state.loaded).toBe(renderPolicy(oldPolicy));
    const profile = await loadProfile(environment, "edge");
    expect(profile?.gates[0]?.steps).toEqual(oldDeclared.gates[0]?.knock.steps);
    expect(profile?.way).toEqual({ host: "edge.test", port: 22, user: "root" });
  });

  test("leaves another owner's policy alone until it is told to take it over", async () => {
    setHost(oldPolicy, "edge-stack");
    const words = ["apply", file("new.json"), "edge.test", "--former", file("old.json")];
    expect(await run(words)).toMatchObject({
      exitCode: 3,
      err: expect.stringMatching(
        /its owner is edge-stack .*`--adopt` on the command line.*\[OWNED_BY_ANOTHER\]/s,
      ),
    });
    expect(await run([...words, "--adopt"])).toMatchObject({ exitCode: 0 });
    expect(host.state.confirmed).toMatchObject({ text: renderPolicy(newPolicy), owner: commandLineOwner });
  });

  test("has the health command run, and undoes a change that it fails", async () => {
    setHost(undefined, "", { faults: [{ at: "health", kind: "refuses", code: 9 }] });
    const words = ["apply", file("new.json"), "edge.test", "--health-command", "curl -f localhost"];
    expect(await run(words)).toMatchObject({
      exitCode: 3,
      err: expect.stringMatching(
        /5\/6 prove failed: .*The host has put back what it had before\..*\[NOT_CONFIRMED\]/s,
      ),
    });
    expect(host.state.loaded).toBeUndefined();
    const again = await run([...words, "--undo-after", "400"]);
    expect([again.exitCode, again.notes.join()]).toEqual([
      0,
      expect.stringContaining("the host undoes the change by itself in 400 s"),
    ]);
    expect(host.health.join()).toContain("curl -f localhost");
  });

  test("says what the linter warns of, and tries the gates from where it is told to", async () => {
    setHost(undefined);
    const path = file("prover.json");
    writeFileSync(path, JSON.stringify({ host: "prover.test", user: "ops" }), { mode: 0o600 });
    const short = {
      ...newDeclared,
      gates: newDeclared.gates.map((gate) => ({ ...gate, openForSeconds: 1 })),
    };
    writeFileSync(file("short.json"), JSON.stringify(short));
    setHost(undefined, "", { policies: [readPolicy(short)] });
    const { exitCode, notes } = await run(["apply", file("short.json"), "edge.test", "--prove-from", path]);
    expect([exitCode, notes[0]]).toEqual([
      0,
      expect.stringMatching(/^warning: .*openForSeconds.*\[window-too-short\]/),
    ]);
    const [[to] = []] = vi.mocked(withProvingRoutes).mock.calls.slice(-1);
    expect(to).toMatchObject({
      connection: { host: "edge.test" },
      proveFrom: { host: "prover.test", user: "ops" },
    });
  });

  test.each([
    [["--undo-after", "soon"], /--undo-after must be a number of seconds from 10 to 86400/],
    [["--undo-after", "10", "--health-command", "true"], /undo-too-early/],
    [["--profile", "../edge"], /--profile is not a name that a host can have/],
  ])("refuses %j before anything is contacted", async (more, message) => {
    const { exitCode, err } = await run(["apply", file("new.json"), "edge.test", ...more]);
    expect([exitCode, err]).toEqual([2, expect.stringMatching(message)]);
    expect(withProvingRoutes).not.toHaveBeenCalled();
  });

  test("says that the host has the policy when the profile can't be written", async () => {
    setHost(undefined);
    const config = file("blocked");
    // A folder stands at the file's place, so the file can't be written.
    mkdirSync(join(config, "knockgate", "profiles", "edge.json"), { recursive: true });
    const words = ["apply", file("new.json"), "edge.test", "--profile", "edge"];
    expect(await run(words, { XDG_CONFIG_HOME: config })).toMatchObject({
      exitCode: 3,
      err: expect.stringMatching(
        /the host has confirmed the policy, but profile edge could not be written \(EISDIR\)/,
      ),
    });
  });
});

describe("knockgate status and plan", () => {
  test("say that a host has exactly what the policy says", async () => {
    setHost(newPolicy);
    const status = await run(["status", file("new.json"), "edge.test"]);
    expect(status.exitCode).toBe(0);
    expect(status.out).toContain(`owner: ${commandLineOwner}`);
    expect(status.out).toContain("edge on edge.test:22: the host has what the policy says\n");
    expect(status.out).toMatch(/gate ssh: 0 accepted, 0 dropped, 0 opened, 0 reset since it was loaded/);
    const plan = await run(["plan", file("new.json"), "edge.test"]);
    expect([plan.exitCode, plan.out]).toEqual([
      0,
      "edge on edge.test:22: the host has this ruleset confirmed and loaded; nothing to change\n",
    ]);
    expect(host.calls.join()).not.toMatch(/stage|arm|load|confirm|adopt/);
    expect(host.state.openConnections).toBe(0);
  });

  test("say how a host differs, without either knock", async () => {
    setHost(oldPolicy);
    const former = ["--former", file("old.json")];
    const status = await run(["status", file("new.json"), "edge.test", ...former]);
    expect(status.exitCode).toBe(1);
    expect(status.out).toContain("drift: the host has confirmed another ruleset than this policy's");
    const plan = await run(["plan", file("new.json"), "edge.test", ...former]);
    expect(plan.exitCode).toBe(1);
    expect(plan.out).toMatch(/^-.*dport <ssh-1:[0-9a-f]{6}>.*\n(?:.*\n)*?\+.*dport <ssh-1:[0-9a-f]{6}>/m);
    expect(plan.out).toContain("the ruleset would be loaded, proven and confirmed; open doors stay open");
    const shown = await play(["plan", file("new.json"), "edge.test", ...former, "--show-secrets"], {
      environment,
    });
    expect(shown.out).toMatch(/^-.*47411/m);
    expect(shown.out).toMatch(/^\+.*41411/m);
  });

  test("tell of another owner", async () => {
    setHost(newPolicy, "edge-stack");
    const status = await run(["status", file("new.json"), "edge.test", "--json"]);
    expect(JSON.parse(status.out)).toMatchObject({ owner: "edge-stack", isAsDeclared: true, drift: [] });
    const plan = await run(["plan", file("new.json"), "edge.test"]);
    expect([plan.exitCode, plan.out]).toEqual([
      1,
      "edge on edge.test:22: only the owner would change: it is edge-stack now; open doors stay open\n",
    ]);
    setHost(oldPolicy, "edge-stack");
    const other = await run(["plan", file("new.json"), "edge.test", "--former", file("old.json")]);
    expect(other.out).toContain("its owner is edge-stack: that needs --adopt");
  });

  test("tell of a host that has nothing yet, or can't take it", async () => {
    setHost(undefined);
    expect((await run(["status", file("new.json"), "edge.test"])).out).toContain(
      "drift: gone: the host has nothing",
    );
    expect((await run(["plan", file("new.json"), "edge.test"])).out).toContain(
      "+table inet knockgate_edge {",
    );
    setHost(undefined, "", { nftVersion: "0.9" });
    expect(await run(["plan", file("new.json"), "edge.test"])).toMatchObject({
      exitCode: 3,
      err: expect.stringContaining("[HOST_UNFIT]"),
    });
    setHost(undefined);
    writeFileSync(file("denied.json"), JSON.stringify({ ...newDeclared, denyFrom: ["192.0.2.0/24"] }));
    expect(await run(["plan", file("denied.json"), "edge.test"])).toMatchObject({
      exitCode: 3,
      err: expect.stringContaining("[LOCKOUT]"),
    });
  });
});

describe("a change that nobody confirmed", () => {
  test("is told by status and plan, and undone by undo", async () => {
    const faults = [
      { at: "confirm", kind: "refuses" },
      { at: "undo", kind: "refuses", code: 14 },
    ] as const;
    setHost(oldPolicy, commandLineOwner, { faults });
    const words = [file("new.json"), "edge.test"];
    expect(await run(["apply", ...words, "--former", file("old.json")])).toMatchObject({
      exitCode: 3,
      err: expect.stringContaining("The host could not undo it now"),
    });
    expect(host.state.loaded).toBe(renderPolicy(newPolicy));
    expect((await run(["status", ...words, "--json"])).out).toContain('"isPending": true');
    expect((await run(["plan", ...words])).out).toContain(
      "another change is pending: `knockgate apply` would",
    );
    const undone = await run(["undo", ...words]);
    expect([undone.exitCode, undone.out]).toEqual([
      0,
      "edge on edge.test:22: the host has put back what it had before the pending change\n",
    ]);
    expect(host.state.loaded).toBe(renderPolicy(oldPolicy));
    const nothing = await run(["undo", file("old.json"), "edge.test"]);
    expect([nothing.exitCode, nothing.out]).toEqual([1, expect.stringContaining("no change is pending")]);
  });

  test("is said to be undone by the timer when the host can't undo it now", async () => {
    const faults = [
      { at: "confirm", kind: "refuses" },
      { at: "undo", kind: "refuses", code: 14 },
      { at: "undo", kind: "refuses", code: 14 },
    ] as const;
    setHost(undefined, "", { faults });
    const words = [file("new.json"), "edge.test"];
    await run(["apply", ...words]);
    expect(await run(["undo", ...words])).toMatchObject({
      exitCode: 3,
      err: expect.stringMatching(/its own timer will try until it can \[HOST_FAILED\]/),
    });
  });
});

describe("knockgate remove", () => {
  test("removes what is the command line's own, and is content where nothing is", async () => {
    setHost(newPolicy);
    const first = await run(["remove", file("new.json"), "edge.test"]);
    expect([first.exitCode, first.out]).toEqual([
      0,
      "edge on edge.test:22: the gate is removed, and nothing else\n",
    ]);
    expect(host.state.loaded).toBeUndefined();
    const again = await run(["remove", file("new.json"), "edge.test"]);
    expect([again.exitCode, again.out]).toEqual([
      0,
      "edge on edge.test:22: the host has nothing of the policy\n",
    ]);
  });

  test("leaves another owner's alone until it is told to take it over", async () => {
    setHost(newPolicy, "edge-stack");
    const words = ["remove", file("new.json"), "edge.test"];
    expect(await run(words)).toMatchObject({
      exitCode: 3,
      err: expect.stringMatching(
        /its owner is edge-stack.*Nothing was changed on the host.*OWNED_BY_ANOTHER/,
      ),
    });
    expect(host.state.confirmed).toBeDefined();
    expect(await run([...words, "--adopt"])).toMatchObject({ exitCode: 0 });
    expect(host.state.confirmed).toBeUndefined();
  });
});
