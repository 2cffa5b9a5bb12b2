import type { Stack } from "@pulumi/pulumi/automation";
import { KnockGate, type UserArgs, userKey } from "knockgate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { type Sender, sendKnock, tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { slotAt, tokenOf } from "../../../src/policy/token";

const seed = "correct-horse-battery-staple-0123456789";
const keyOf = (user: string, generation = 1) => userKey({ seed, policy: "edge", user, generation });
const port = 62_201;

let lab: Lab;
let host: LabHost;
let stack: Stack;
let users: UserArgs[] = ["ci", "ada", "ben"].map((name) => ({ name, key: keyOf(name) }));
/** Slots that are used up, by user: each token is good once. */
const used = new Map<string, number>();
/** All output of the engine so far. */
let printed = "";
const listen = { onOutput: (text: string) => (printed += text), color: "never" } as const;

beforeAll(async () => {
  lab = await openLab({ hosts: 1, clients: 2 });
  [host] = lab.hosts as [LabHost];
  const { privateKey } = lab;
  stack = await openStack(lab.directory, async () => {
    const gate = new KnockGate("edge", {
      connection: { host: host.ipv4, user: "ops", privateKey, hostKey: host.hostKey },
      policy: {
        name: "edge",
        users,
        gates: [
          { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: port } }, openForSeconds: 600 },
        ],
      },
    });
    const { ruleset, digest, knock, counters } = gate;
    return { ruleset, digest, knock, counters };
  });
});

afterAll(() => lab?.close());

/** Sends a token as somebody else's client does: from docs/tokens.md alone. The slot of the first one is the current one. */
async function knockAs(user: string, from: Sender, key = keyOf(user)): Promise<string> {
  const slot = Math.max(slotAt(Date.now(), 60), (used.get(user) ?? 0) + 1);
  used.set(user, slot);
  const payload = tokenOf(key, { policy: "edge", gate: "ssh", host: host.ipv4, slot });
  await sendKnock(from, { to: host.ipv4, steps: [{ udp: port, payload }] });
  return payload;
}

/** The tokens that a user has left on the host. */
async function listLeft(user: string): Promise<readonly string[]> {
  const { stdout } = await host.run(["nft", "list", "table", "inet", "knockgate_edge"]);
  const set =
    new RegExp(`set ssh_user_${user}_[0-9a-f]+ \\{[^}]*elements = \\{([^}]*)\\}`).exec(stdout)?.[1] ?? "";
  return set.match(/0x[0-9a-f]+/g) ?? [];
}

function findKeys(text: string): readonly string[] {
  return ["ci", "ada", "ben"].filter((user) => text.includes(keyOf(user)) || text.includes(keyOf(user, 2)));
}

describe.sequential("a gate that tokens open, from its first up to destroy", () => {
  test("up gates SSH, and each user's token opens it once", async () => {
    const { stdout, summary } = await stack.up(listen);
    expect(summary.resourceChanges).toEqual({ create: 3 });
    expect(stdout).toContain("6/6 confirm");
    const [ada, ben] = lab.clients as [Sender, Sender];
    expect(await tryConnect(ada, host.ipv4, 22, 600)).toBe("silent");
    const payload = await knockAs("ada", ada);
    expect(await tryConnect(ada, host.ipv4, 22, 3_000)).toBe("open");
    await sendKnock(ben, { to: host.ipv4, steps: [{ udp: port, payload }] });
    expect(await tryConnect(ben, host.ipv4, 22, 600)).toBe("silent");
  });

  test("up again changes nothing, and refresh finds no drift and counts by gate", async () => {
    const { summary } = await stack.up(listen);
    expect(summary.resourceChanges).toEqual({ same: 3 });
    await stack.refresh(listen);
    expect((await stack.preview(listen)).changeSummary).toEqual({ same: 3 });
    // A component's outputs are those of the last up.
    await stack.up(listen);
    const { counters } = await stack.outputs();
    expect(counters?.value).toMatchObject({ ssh: { opened: expect.any(Number) } });
  });

  test("what somebody does to the file with the keys is drift, and the next up repairs it", async () => {
    const file = "/var/lib/knockgate/edge/changes/*/tokens";
    for (const [act, words] of [
      [`chmod 0644 ${file}`, "the mode or the owner"],
      [`rm ${file}`, "is gone, so it makes no new ones"],
    ]) {
      await host.run(["sh", "-c", act ?? ""]);
      const { stdout } = await stack.refresh(listen);
      expect(stdout).toMatch(new RegExp(`drift: token source: .*${words}`));
      const { stdout: shown, changeSummary } = await stack.preview({ ...listen, diff: true });
      expect(changeSummary).toEqual({ same: 2, update: 1 });
      expect(shown).toMatch(/- \[0\]: "token source: /);
      await stack.up(listen);
      await stack.refresh(listen);
      expect((await stack.preview(listen)).changeSummary).toEqual({ same: 3 });
    }
  });

  test("a user that is taken away is gone, and nothing changes for another", async () => {
    const before = await listLeft("ada");
    expect(before.length).toBeGreaterThan(10_000);
    users = users.filter(({ name }) => name !== "ben");
    const { stdout } = await stack.preview({ ...listen, diff: true });
    expect(stdout).toMatch(/^\s+- .*ssh_user_ben/m);
    expect(stdout).not.toMatch(/^\s+[-+] .*ssh_user_ada/m);
    await stack.up(listen);
    const [ada, ben] = lab.clients as [Sender, Sender];
    expect(await tryConnect(ada, host.ipv4, 22, 3_000)).toBe("open");
    expect(await listLeft("ben")).toEqual([]);
    const after = new Set(await listLeft("ada"));
    // Tokens whose slot has ended meanwhile may be gone.
    expect(before.filter((token) => !after.has(token)).length).toBeLessThan(20);
    await knockAs("ben", ben);
    expect(await tryConnect(ben, host.ipv4, 22, 600)).toBe("silent");
    await knockAs("ada", ben);
    expect(await tryConnect(ben, host.ipv4, 22, 3_000)).toBe("open");
  });

  test("a new key for the deployer itself does not lock it out", async () => {
    users = users.map((user) => (user.name === "ci" ? { ...user, key: keyOf("ci", 2) } : user));
    await stack.up(listen);
    await stack.refresh(listen);
    expect((await stack.preview(listen)).changeSummary).toEqual({ same: 3 });
  });

  test("a deployer that is taken away does not lock the next one out", async () => {
    users = users.filter(({ name }) => name !== "ci");
    await stack.up(listen);
    await stack.refresh(listen);
  });

  test("destroy leaves no rule, and nothing that was printed or kept in plain has a key", async () => {
    await stack.destroy(listen);
    expect(await host.ruleset()).not.toContain("knockgate");
    expect(findKeys(printed)).toEqual([]);
  });
});
