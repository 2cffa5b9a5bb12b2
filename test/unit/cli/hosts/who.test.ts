import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { withRoutes } from "../../../../src/change/open-routes";
import { commandLineOwner } from "../../../../src/cli/hosts/command-context";
import { makeProfile } from "../../../../src/knock/clients/profile";
import type { PolicyInput } from "../../../../src/policy/policy";
import { type FakeHostOptions, makeFakeHost } from "../../fake-host";
import { readPolicy } from "../../policy/read-policy";
import { makeOutputs } from "../gated";
import { play } from "../play";

vi.mock("../../../../src/change/open-routes", () => ({ withRoutes: vi.fn(), withProvingRoutes: vi.fn() }));

const keys = ["kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ", "cD3rI0zNY0xQrKd0XZiaLd2oThlgvbnWh-gVDaSmM"];
const declared: PolicyInput = {
  name: "edge",
  users: [
    { name: "ada", key: keys[0] ?? "" },
    { name: "ci", key: keys[1] ?? "" },
  ],
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } }],
};
const policy = readPolicy(declared);
const way = { host: "edge.test", port: 22, user: "root" };

let environment: Record<string, string>;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-who-"));
  environment = { HOME: folder, XDG_CONFIG_HOME: join(folder, "config") };
  writeFileSync(join(folder, "policy.json"), JSON.stringify(declared));
  const outputs = { edge: { profile: makeProfile("edge", way, policy, "ci") }, old: makeOutputs("old", way) };
  await play(["profile", "add", "-"], { environment, input: JSON.stringify(outputs) });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => setHost(true));

function setHost(isConfirmed: boolean, more: Partial<FakeHostOptions> = {}): void {
  const confirmed = isConfirmed ? { confirmed: { policy, owner: commandLineOwner } } : {};
  const { context } = makeFakeHost({ policies: [policy], ...confirmed, ...more });
  vi.mocked(withRoutes).mockImplementation((_to, _policies, log, use) => use({ ...context, log }));
}

async function run(...words: string[]) {
  const played = await play(words, { environment });
  for (const key of keys) expect(JSON.stringify(played)).not.toContain(key);
  return played;
}

const counted =
  "3 doors opened, the last one between 2027-01-15 07:00 UTC and 2027-01-15 08:00 UTC (counter); tokens until 2027-01-22 08:00 UTC";

test("says of all users what the host says, with the profile of one", async () => {
  const { exitCode, out } = await run("who", "edge");
  expect([exitCode, out]).toEqual([
    0,
    ["ada", "ci"].map((user) => `edge on edge.test:22: user ${user} at gate ssh: ${counted}\n`).join(""),
  ]);
  const { out: json } = await run("who", "edge", "--json");
  expect(JSON.parse(json)).toMatchObject({
    host: "edge.test",
    policy: "edge",
    users: [
      { gate: "ssh", user: "ada", opened: 3, lastTo: "2027-01-15T08:00:00.000Z" },
      { gate: "ssh", user: "ci", opened: 3 },
    ],
    warnings: [],
  });
});

test("says when each user is last in the host's log, and so does status", async () => {
  const openings = "log=journal\n== openings\n|oldest 1799000000\n|ssh ci 1799999467 192.0.2.7\n";
  setHost(true, { tokens: { openings } });
  const last = "last logged 2027-01-15 07:51:07 UTC from 192.0.2.7 (journal); tokens until";
  for (const words of [
    ["who", "edge"],
    ["status", join(folder, "policy.json"), "edge"],
  ]) {
    const { out } = await run(...words);
    expect(out).toMatch(/ user ada at gate ssh: .* \(counter\); tokens until /);
    expect(out).toContain(last);
    expect(out).toContain("edge on edge.test:22: the host's journal was read back to 2027-01-03 18:13 UTC\n");
    const { out: json } = await run(...words, "--json");
    expect(JSON.parse(json)).toMatchObject({
      users: [{ user: "ada" }, { user: "ci", loggedAt: "2027-01-15T07:51:07.000Z", loggedFrom: "192.0.2.7" }],
      log: "journal",
      logSince: "2027-01-03T18:13:20.000Z",
    });
  }
});

test.each(["babbles", "cut before"] as const)(
  "says the rest of a host whose log can't be read: %s",
  async (kind) => {
    setHost(true, { faults: [{ at: "openings", kind }] });
    const { exitCode, out } = await run("who", "edge");
    expect(exitCode).toBe(0);
    expect(out).toContain(counted);
    expect(out).toMatch(/: the host's log can't be read, /);
  },
);

test("warns of a host that has lost its tokens", async () => {
  setHost(true, { tokens: { firstSlot: 10 } });
  expect((await run("who", "edge")).out).toMatch(/warning: the host has lost tokens .* 08:10 UTC on/);
});

test("says that a host has no tokens of the policy", async () => {
  setHost(false);
  const { exitCode, out } = await run("who", "edge");
  expect([exitCode, out]).toEqual([
    1,
    "edge on edge.test:22: the host has no confirmed tokens of this policy\n",
  ]);
});

test.each([
  ["old", "old: its profile has no gate that a token opens, so no users. Nothing was contacted."],
  ["203.0.113.7", "203.0.113.7: it is not a profile. Nothing was contacted."],
])("needs a profile with tokens, and %s has none", async (host, words) => {
  expect(await run("who", host)).toMatchObject({
    exitCode: 3,
    err: `knockgate: ${words} [ARGUMENTS_INVALID]\n`,
  });
});

test("status says the same of users", async () => {
  const { exitCode, out } = await run("status", join(folder, "policy.json"), "edge");
  expect(out).toContain(`edge on edge.test:22: user ci at gate ssh: ${counted}\n`);
  expect(exitCode).toBe(0);
  const { out: json } = await run("status", join(folder, "policy.json"), "edge", "--json");
  expect(JSON.parse(json).users).toMatchObject([{ user: "ada" }, { user: "ci" }]);
});
