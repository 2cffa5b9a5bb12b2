import { describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { changeHost } from "../../../src/change/change";
import { makePurse } from "../../../src/change/purse";
import { reachHost } from "../../../src/change/reach";
import { removeFromHost } from "../../../src/change/remove";
import type { ChangeRequest } from "../../../src/change/request";
import { KnockgateError } from "../../../src/errors";
import { parsePolicy } from "../../../src/policy/parse";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import { type FakeHost, type FakeHostOptions, makeFakeHost } from "../fake-host";
import { type FakeTokenOptions, fakeNowMs } from "../fake-tokens";

const ada = { name: "ada", key: `ada-${"4Kq9".repeat(10)}` };
const ben = { name: "ben", key: `ben-${"8Zt2".repeat(10)}` };
const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } };
const team = makePolicy({ users: [ada, ben] });
const anew: ChangeRequest = { policy: team, owner: "me", undoAfterSeconds: 60 };

function makePolicy(more: Partial<PolicyInput> = {}, gate: object = {}): Policy {
  const reading = parsePolicy({ name: "edge", gates: [{ ...ssh, ...gate }], users: [ada], ...more });
  if (reading.kind === "wrong") throw new Error(reading.findings[0]?.message);
  return reading.policy;
}

function makeHost(policy: Policy | undefined, options: Partial<FakeHostOptions> = {}): FakeHost {
  const confirmed = policy === undefined ? {} : { confirmed: { policy, owner: "me" } };
  return makeFakeHost({ ...confirmed, policies: [], ...options });
}

async function fail(host: FakeHost, request: ChangeRequest): Promise<KnockgateError> {
  const failure = await changeHost(request, host.context).catch((error: unknown) => error);
  if (failure instanceof KnockgateError) return failure;
  throw new Error(`no KnockgateError: ${String(failure)}`);
}

const tokensOf = (host: FakeHost) =>
  host.packets.flatMap((packet) => (packet.kind === "token" ? [packet] : []));

describe("a change of a gate that tokens open", () => {
  test("proves it closed, open for a token, and closed when the same token comes again", async () => {
    const host = makeHost(undefined, { policies: [team] });
    await changeHost(anew, host.context);
    expect(host.state.confirmed).toMatchObject({ text: renderPolicy(team), owner: "me" });
    expect(host.lines.map((line) => line.replace(/^edge on edge\.test:22: /, "")).slice(3)).toEqual([
      "4/6 load: the new ruleset is loaded",
      "4/6 load: the host holds tokens: the gates can be opened until 2027-01-22 08:00 UTC without a fill",
      "5/6 prove: closed: gate ssh does not answer on TCP port 22 before the knock; its own counter saw the packets dropped",
      "5/6 prove: open: gate ssh lets a fresh SSH connection through after the knock",
      "5/6 prove: closed: gate ssh stays closed on TCP port 22 when a used token comes again",
      expect.stringMatching(/^6\/6 confirm: /),
    ]);
    const [opening, closing, ...replays] = tokensOf(host);
    expect([opening?.use, closing?.use]).toEqual(["open", "close"]);
    expect(replays).toEqual([opening, opening]);
    expect(host.state.openConnections).toBe(0);
  });

  test("refuses a host where a used token opens again, and undoes", async () => {
    const host = makeHost(undefined, { policies: [team], tokens: { reopens: true } });
    const error = await fail(host, anew);
    expect(error.code).toBe("NOT_CONFIRMED");
    expect(error.message).toMatch(
      /5\/6 prove failed: gate ssh opens again on TCP port 22 for a token that was used before/,
    );
    expect(host.state).toMatchObject({ loaded: undefined, confirmed: undefined, openConnections: 0 });
  });

  test("shows no token and no key in its log and its errors", async () => {
    const host = makeHost(undefined, { policies: [team], tokens: { reopens: true } });
    const error = await fail(host, anew);
    const said = [...host.lines, error.message].join("\n");
    for (const { token } of tokensOf(host)) expect(said).not.toContain(token);
    for (const { key } of [ada, ben]) expect(said).not.toContain(key);
  });

  test("passes as the first user, or as the one that deployAs names", async () => {
    for (const [policy, user] of [
      [team, "ada"],
      [makePolicy({ users: [ada, ben], deployAs: "ben" }), "ben"],
    ] as const) {
      const host = makeHost(policy);
      await changeHost({ ...anew, policy, formerPolicies: [policy] }, host.context);
      expect(host.taken).toEqual([user]);
      expect(host.lines.at(-1)).toContain("can be opened until");
    }
  });

  test("that rotates the deployer's key gets in by the old one and confirms by the new one", async () => {
    const rotated = makePolicy({ users: [{ ...ada, key: `new-${"6Vw3".repeat(10)}` }, ben] });
    const host = makeHost(team, { policies: [rotated] });
    await changeHost({ ...anew, policy: rotated, formerPolicies: [team] }, host.context);
    expect(host.state.confirmed?.text).toBe(renderPolicy(rotated));
  });

  test("that removes the deployer gets in as that user and confirms as the next one", async () => {
    const without = makePolicy({ users: [ben] });
    const host = makeHost(team, { policies: [without] });
    await changeHost({ ...anew, policy: without, formerPolicies: [team] }, host.context);
    expect(host.state.confirmed?.text).toBe(renderPolicy(without));
    expect([host.taken[0], host.taken.at(-1)]).toEqual(["ada", "ben"]);
  });

  test("gets in when the host has the wanted policy already and the state does not know it", async () => {
    const without = makePolicy({ users: [ben] });
    const host = makeHost(without, { policies: [team] });
    await changeHost({ ...anew, policy: without, formerPolicies: [team] }, host.context);
    expect(host.taken).toEqual(["ben"]);
  });

  test("from a sequence to tokens, and back, is made", async () => {
    const steps = makePolicy({ users: undefined }, { knock: { steps: [{ tcp: 47_001 }, { udp: 58_002 }] } });
    for (const [before, after] of [
      [steps, team],
      [team, steps],
    ] as const) {
      const host = makeHost(before, { policies: [after] });
      await changeHost({ ...anew, policy: after, formerPolicies: [before] }, host.context);
      expect(host.state.confirmed?.text).toBe(renderPolicy(after));
    }
  });

  test("with one connection for each opening sends a token for each, and is proven", async () => {
    const single = makePolicy({}, { singleConnection: true, protect: [{ tcp: "22" }, { tcp: "443" }] });
    const web = { ...ssh, name: "web", protect: [{ tcp: "443" }], singleConnection: true };
    const both = makePolicy({ gates: [{ ...ssh, singleConnection: true }, web] });
    for (const policy of [single, both]) {
      const host = makeHost(policy, { policies: [team] });
      await changeHost({ ...anew, formerPolicies: [policy] }, host.context);
      const back = makeHost(team, { policies: [policy] });
      await changeHost({ ...anew, policy, formerPolicies: [team] }, back.context);
      expect(back.state.confirmed?.text).toBe(renderPolicy(policy));
    }
  });

  test("proves a gate of a UDP port by the kernel's counters", async () => {
    const gate = { name: "vpn", protect: [{ udp: "51820" }], knock: { token: { udp: 443 } } };
    const policy = makePolicy({ gates: [gate] });
    const host = makeHost(undefined, { policies: [policy] });
    await changeHost({ ...anew, policy }, host.context);
    const said = host.lines.join("\n");
    expect(said).toContain("gate vpn lets a datagram through to UDP port 51820 after the knock");
    expect(said).toContain("gate vpn stays closed on UDP port 51820 when a used token comes again");
    const worse = makeHost(undefined, { policies: [policy], tokens: { reopens: true } });
    expect((await fail(worse, { ...anew, policy })).message).toContain("opens again on UDP port 51820");
  });

  test("gives the host what it makes tokens from, once and only with tokens", async () => {
    const host = makeHost(undefined, { policies: [team] });
    await changeHost(anew, host.context);
    expect(host.state.confirmed?.tokens?.split("\n").slice(0, 2)).toEqual(["policy edge", "host edge.test"]);
    const plain = makePolicy({ users: undefined }, { knock: { steps: [{ tcp: 47_001 }] } });
    const other = makeHost(undefined, { policies: [plain] });
    await changeHost({ ...anew, policy: plain }, other.context);
    expect(other.state.confirmed?.tokens).toBeUndefined();
  });

  test.each<[string, FakeTokenOptions, RegExp]>([
    ["its tokens are for another name", { formerName: "203.0.113.7" }, /for the name 203\.0\.113\.7, /],
    ["the file with the keys is gone", { fault: "source gone" }, /token source: .* is gone/],
    ["the file has another key", { fault: "source changed" }, /token source: .* other keys/],
    ["others may read the file", { fault: "source readable" }, /token source: .* lets others than root read/],
    ["nothing fills its sets", { fault: "no fill" }, /no fill: /],
  ])("repairs a host with the same ruleset where %s", async (_what, tokens, words) => {
    const host = makeHost(team, { tokens });
    await changeHost({ ...anew, formerPolicies: [team] }, host.context);
    expect(host.calls).toContain("1 load");
    const said = host.lines.filter((line) => line.includes("drift: "));
    expect(said).toEqual([expect.stringMatching(words)]);
    for (const { key } of [ada, ben]) expect(said.join()).not.toContain(key);
    expect(said.join()).not.toMatch(/[0-9a-f]{16}|x{40}/);
    const calls = host.calls.length;
    await changeHost({ ...anew, formerPolicies: [team] }, host.context);
    expect(host.calls.slice(calls).map((call) => call.replace(/^\d+ /, ""))).toEqual(["probe"]);
    expect(host.lines.at(-2)).toMatch(/nothing to change/);
  });

  test("leaves a host alone that has all of it", async () => {
    const host = makeHost(team);
    await changeHost({ ...anew, formerPolicies: [team] }, host.context);
    expect(host.calls).toEqual(["1 probe"]);
  });
});

describe("the way in by tokens", () => {
  test.each([
    ["another process has used three slots", { usedElsewhere: 3 }],
    ["another process has used ten slots", { usedElsewhere: 10 }],
    ["the host has lost its tokens", { firstSlot: 7 * 1_440 - 5 }],
  ])("is found when %s", async (_what, tokens) => {
    const host = makeHost(team, { policies: [team], tokens });
    const { routes, dialing } = host.context;
    const reached = await reachHost(routes, [team], true, dialing);
    reached.connection.close();
    const before = tokensOf(host).length;
    await removeFromHost(team, "me", host.context);
    // What worked is known from then on.
    expect(tokensOf(host).length - before).toBe(1);
  });

  test("is proven by what the host said of its tokens, without tries in vain", async () => {
    const tokens = { firstSlot: 7 * 1_440 - 5 };
    const host = makeHost(undefined, { policies: [team], tokens });
    await changeHost(anew, host.context);
    expect(tokensOf(host)).toHaveLength(4);
  });

  test("never takes a token twice, except to prove that it is used up", async () => {
    const host = makeHost(team, { policies: [makePolicy({ users: [ben] })], lostKnocks: 2 });
    await changeHost({ ...anew, policy: makePolicy({ users: [ben] }), formerPolicies: [team] }, host.context);
    const sent = tokensOf(host).map(({ token }) => token);
    const twice = sent.filter((token, index) => sent.indexOf(token) !== index);
    expect(new Set(twice).size).toBe(1);
  });
});

describe("a host that can't hold tokens, or whose clock is wrong", () => {
  test("is refused before anything is staged", async () => {
    const host = makeHost(undefined, { policies: [team], tokens: { refusesTokens: true } });
    const error = await fail(host, anew);
    expect(error.code).toBe("HOST_UNFIT");
    expect(error.message).toContain("nft 0.9.4 or newer");
    expect(host.calls).toEqual(["1 probe"]);
  });

  test.each([
    [30, undefined],
    [-59, undefined],
    [90, "90 s ahead of this machine's"],
    [-600, "10 min behind this machine's"],
  ])("%d s off: is warned of from a minute on", async (aheadSeconds, words) => {
    const host = makeHost(undefined, { policies: [team], tokens: { aheadSeconds } });
    await changeHost(anew, host.context).catch(() => undefined);
    const warned = host.lines.filter((line) => line.includes("the host's clock is"));
    expect(warned).toEqual(words === undefined ? [] : [expect.stringContaining(words)]);
  });

  test.each([8, -8])("%d days off: is refused", async (days) => {
    const host = makeHost(undefined, { policies: [team], tokens: { aheadSeconds: days * 86_400 } });
    const error = await fail(host, anew);
    expect(error.code).toBe("HOST_UNFIT");
    expect(error.message).toMatch(/192 h (ahead of|behind) this machine's, which is more than horizonDays/);
  });

  test("matters only to policies with tokens", async () => {
    const plain = makePolicy({ users: undefined }, { knock: { steps: [{ tcp: 47_001 }] } });
    const tokens = { refusesTokens: true, aheadSeconds: 9e6 };
    const host = makeHost(undefined, { policies: [plain], tokens });
    await changeHost({ ...anew, policy: plain }, host.context);
    expect(host.state.confirmed?.text).toBe(renderPolicy(plain));
  });
});

test("a deployer whose own tokens do not count from here is told so, and nothing is staged", async () => {
  const policy = makePolicy({ users: [{ ...ada, from: ["203.0.113.0/24"] }] });
  const host = makeHost(undefined, { policies: [policy] });
  const error = await fail(host, { ...anew, policy });
  expect(error.code).toBe("LOCKOUT");
  expect(error.message).toContain("the tokens of user ada");
  expect(host.calls).toEqual(["1 probe"]);
  const right = makePolicy({ users: [{ ...ada, from: ["192.0.2.0/24"] }] });
  const other = makeHost(undefined, { policies: [right] });
  await changeHost({ ...anew, policy: right }, other.context);
  expect(other.state.confirmed?.text).toBe(renderPolicy(right));
});

test("a deployer named as a user who does not open the gate of SSH is told so, unless allowFrom lets it in", async () => {
  const web = { ...ssh, name: "web", protect: [{ tcp: "443" }] };
  const named = { users: [ada, { ...ben, gates: ["web"] }], deployAs: "ben", gates: [ssh, web] };
  const policy = makePolicy({ ...named, allowFrom: ["203.0.113.0/24"] });
  const host = makeHost(undefined, { policies: [policy] });
  const error = await fail(host, { ...anew, policy });
  expect(error.code).toBe("LOCKOUT");
  expect(error.message).toContain("the tokens of user ben, whom deployAs names, do not open gate ssh");
  expect(host.calls).toEqual(["1 probe"]);
  const allowed = makePolicy({ ...named, allowFrom: ["192.0.2.0/24"] });
  const other = makeHost(undefined, { policies: [allowed] });
  const failure = await fail(other, { ...anew, policy: allowed });
  expect(failure.code).not.toBe("LOCKOUT");
});

test("processes that follow each other find tokens that none of them has used, with one connection for each", async () => {
  const policy = makePolicy({}, { singleConnection: true });
  const host = makeHost(policy);
  const { routes, dialing } = host.context;
  for (let process = 0; process < 3; process += 1) {
    const own = { ...dialing, purse: makePurse(() => fakeNowMs) };
    (await reachHost(routes, [policy], true, own)).connection.close();
  }
  expect(host.taken).toHaveLength(3);
});
