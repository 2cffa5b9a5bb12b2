import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { writeTokenSource } from "../../../src/backends/nftables/token-source";
import { lowerForBackend } from "../../../src/backends/render";
import { digestText } from "../../../src/policy/digest";
import type { Policy } from "../../../src/policy/policy";
import { confirmedFiles, listFiles } from "./inspection";
import { oldPolicy } from "./policies";
import {
  ada,
  ben,
  claimClocked,
  claimSpentHost,
  command,
  declareTokens,
  deploy,
  horizonSlots,
  listSlots,
  listTokens,
  load,
  observe,
  passTime,
  range,
  sendSlot,
  shells,
  slotSeconds,
  spend,
  stageAndArm,
  tokenHost,
} from "./token-host";

const policy = declareTokens();

describe.each(shells)("on a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 40, clients: 1, shell });
  });
  afterAll(() => lab?.close());

  const claim = () => claimClocked(lab);
  const claimSpent = () => claimSpentHost(lab, policy);

  test("a change fills the sets from now to the horizon, and a probe says so", async () => {
    const [host, now] = await claim();
    const before = await observe(host, policy);
    expect([before.refusesTokens, before.tokens]).toEqual([undefined, undefined]);
    await deploy(host, policy);
    expect(await listSlots(host, policy)).toEqual(range(now, now + horizonSlots));
    const { tokens, clock } = await observe(host, policy);
    expect(clock).toBeGreaterThan(now * slotSeconds);
    expect(tokens).toEqual({
      digest: digestText(writeTokenSource(lowerForBackend(policy), tokenHost, policy.tokens) ?? ""),
      host: tokenHost,
      until: (now + horizonSlots + 1) * slotSeconds,
      users: [
        {
          gate: "ssh",
          user: "ada",
          from: now * slotSeconds,
          until: (now + horizonSlots + 1) * slotSeconds,
          opened: 0,
        },
      ],
    });
  });

  test("keeps its files from others, and no tokens longer than a change", async () => {
    const [host] = await claim();
    await deploy(host, policy);
    const below = "/var/lib/knockgate/edge";
    expect(await listFiles(host)).toEqual(
      [
        ...confirmedFiles,
        `f 0600 ${below}/changes/ID/tokens`,
        `f 0600 ${below}/filled`,
        `f 0600 ${below}/ledger`,
        `f 0600 ${below}/opened`,
      ].sort(),
    );
    const { stdout } = await host.run(
      [
        "sh",
        "-c",
        `ls /run; cat ${below}/filled ${below}/ledger ${below}/confirmed ${below}/changes/*/listing`,
      ],
      {
        check: false,
      },
    );
    expect(stdout).not.toMatch(/\.work|0x[0-9a-f]{20}/);
    expect((await observe(host, policy)).loaded?.listing).not.toContain("0x");
    const { refusesTokens, loaded, confirmed } = await observe(host, policy);
    expect([refusesTokens, loaded?.listing === confirmed?.listing]).toEqual([undefined, true]);
  });

  test("a later fill adds only new slots", async () => {
    const [host, now] = await claim();
    await deploy(host, policy);
    await spend(host, policy, now + 1);
    await command(host, ["fill", "edge"]);
    await passTime(host, slotSeconds);
    await command(host, ["fill", "edge"]);
    await command(host, ["fill", "edge"]);
    expect(await listSlots(host, policy)).toEqual(
      range(now, now + horizonSlots + 1).filter((slot) => slot !== now + 1),
    );
    expect((await observe(host, policy)).tokens?.users).toMatchObject([
      { opened: 1, until: (now + horizonSlots + 2) * slotSeconds, last: { from: expect.any(Number) } },
    ]);
  });

  const ways: readonly [string, (host: LabHost) => Promise<unknown>][] = [
    ["a fill", (host) => command(host, ["fill", "edge"])],
    ["the same policy again", (host) => deploy(host, policy)],
    ["a replacement of the table", (host) => deploy(host, policy, { isReplaced: true })],
    ["an undo of a refill", (host) => undoChange(host, declareTokens({ users: [ada, ben] }))],
    ["an undo of a replacement", (host) => undoChange(host, policy, { isReplaced: true })],
    ["an undo of a policy without tokens", (host) => undoChange(host, oldPolicy)],
    ["a boot command", (host) => command(host, ["boot", "edge"])],
    ["a change that can't be loaded", (host) => failToLoad(host)],
  ];

  test.each(ways)("a spent token does not come back with %s, and the others stay", async (_way, act) => {
    const [host, now, left] = await claimSpent();
    await act(host);
    expect(await listSlots(host, policy)).toEqual(left);
    await sendSlot(host, policy, now);
    await spend(host, policy, now + 1);
  });

  test("a policy that takes another's place gives its tokens back with an undo", async () => {
    const [host, now, left] = await claimSpent();
    const renamed = declareTokens({ name: "gate" });
    const id = await load(host, renamed, { replaces: ["edge"] });
    expect(await listSlots(host, renamed)).toEqual(range(now, now + horizonSlots));
    await command(host, ["undo", "gate", id, "a test"]);
    expect(await listSlots(host, policy)).toEqual(left);
  });

  test.each([
    ["/etc/cron.d", "17 * * * * root /bin/sh /var/lib/knockgate/edge/host.sh fill edge"],
    ["/etc/periodic/hourly", "exec /bin/sh /var/lib/knockgate/edge/host.sh fill edge"],
  ])("cron fills the sets by %s where there is no systemd", async (folder, line) => {
    const [host] = await claim();
    await host.run(["sh", "-c", `rm -rf /etc/cron.d /etc/periodic; mkdir -p ${folder}`]);
    await deploy(host, policy);
    const file = `${folder}/knockgate-edge`;
    expect((await host.run(["cat", file])).stdout).toContain(line);
    await deploy(host, oldPolicy);
    expect((await host.run(["ls", folder])).stdout).toBe("");
    await deploy(host, policy);
    await command(host, ["remove", "edge", "me", "nftables"]);
    expect((await host.run(["ls", folder])).stdout).toBe("");
  });

  test("a fill waits for a change that works, and leaves one alone that is armed", async () => {
    const [host, now] = await claim();
    await deploy(host, policy);
    const holder = host.spawn(["flock", "/var/lib", "sleep", "3"]);
    await pause(500);
    await passTime(host, slotSeconds);
    const began = performance.now();
    await command(host, ["fill", "edge"]);
    holder.kill();
    expect(performance.now() - began).toBeGreaterThan(1_500);
    expect(await listSlots(host, policy)).toEqual(range(now, now + horizonSlots + 1));
    const id = await stageAndArm(host, declareTokens({ users: [ada, ben] }));
    await command(host, ["load", "edge", id]);
    const loaded = await listSlots(host, declareTokens({ users: [ada, ben] }), "ben");
    await passTime(host, slotSeconds);
    await command(host, ["fill", "edge"]);
    expect(await listSlots(host, declareTokens({ users: [ada, ben] }), "ben")).toEqual(loaded);
    await command(host, ["confirm", "edge", id]);
  });

  test("an undone change leaves nobody without tokens", async () => {
    const [host, now, left] = await claimSpent();
    const both = declareTokens({ users: [ada, ben] });
    const onlyBen = declareTokens({ users: [ben] });
    const whole = range(now, now + horizonSlots + 2).filter((slot) => slot !== now + 2);
    // The user who was new begins anew, except with what was spent.
    const id = await load(host, both);
    await spend(host, both, now + 2, ben);
    await command(host, ["undo", "edge", id, "a test"]);
    expect(await listSlots(host, policy)).toEqual(left);
    await deploy(host, both);
    expect(await listSlots(host, both)).toEqual(left);
    expect(await listSlots(host, both, "ben")).toEqual(whole);
    // The user whom the change had removed has the unspent tokens again.
    await undoChange(host, onlyBen);
    expect(await listSlots(host, both)).toEqual(left);
    expect(await listSlots(host, both, "ben")).toEqual(whole);
    // But not when the table was lost meanwhile: then a fill can't know what was spent in it.
    const again = await load(host, onlyBen);
    await host.run(["nft", "flush", "ruleset"]);
    await command(host, ["undo", "edge", again, "a test"]);
    expect(await listSlots(host, both)).toEqual(left);
    expect((await listSlots(host, both, "ben"))[0]).toBe(now + horizonSlots + 3);
  });

  test("a removed user's tokens go with the change, and nobody else's", async () => {
    const [host, now] = await claim();
    const both = declareTokens({ users: [ada, ben] });
    await deploy(host, both);
    await spend(host, both, now, ben);
    const benKept = await listSlots(host, both, "ben");
    await deploy(host, declareTokens({ users: [ben] }));
    expect(await listSlots(host, declareTokens({ users: [ben] }), "ben")).toEqual(benKept);
    expect(await listTokens(host, policy, "tokens_16384")).toHaveLength(benKept.length);
    await deploy(host, both);
    expect((await listSlots(host, both))[0]).toBe(now + horizonSlots + 1);
  });

  test("another name of the host gives other tokens in the same sets", async () => {
    const [host] = await claim();
    await deploy(host, policy, { host: "other.example.org" });
    await deploy(host, policy);
    expect(await listSlots(host, policy)).toHaveLength(horizonSlots + 1);
  });

  test("a removal leaves the ledger of what was spent, and nothing else", async () => {
    const [host, now] = await claim();
    await deploy(host, policy);
    expect((await command(host, ["remove", "edge", "me", "nftables"])).stdout).not.toContain("kept=");
    expect(await listFiles(host)).toEqual([]);
    await deploy(host, policy);
    await spend(host, policy, now + 1);
    const { stdout } = await command(host, ["remove", "edge", "me", "nftables"]);
    expect(stdout).toContain("kept=/var/lib/knockgate/edge/ledger\n");
    expect((await listFiles(host)).filter((file) => file.startsWith("f"))).toEqual([
      "f 0600 /var/lib/knockgate/edge/ledger",
    ]);
    expect(await host.ruleset()).toBe("");
    await deploy(host, policy);
    expect(await listSlots(host, policy)).toEqual(
      range(now, now + horizonSlots + 2).filter((slot) => slot !== now + 1),
    );
  });

  test("a host whose nft knows no such sets says so", async () => {
    const [host] = await claim();
    await host.run(["sh", "-c", "cat >/usr/local/sbin/nft; chmod 755 /usr/local/sbin/nft"], {
      stdin: '#!/bin/sh\n[ "$*" != "-c -f -" ] || exec sed -n "/typeof/q1"\nexec /usr/sbin/nft "$@"\n',
    });
    expect((await observe(host, policy)).refusesTokens).toBe(true);
  });

  test("no secret is in the arguments of a process, and none is left when one is killed", async () => {
    const [host] = await claim();
    const many = declareTokens({ tokens: { slotSeconds: 60, horizonDays: 3, graceSeconds: 120 } });
    const watcher = host.spawn([
      "sh",
      "-c",
      'while :; do for one in /proc/[0-9]*/cmdline; do tr "\\0" " " <"$one" 2>/dev/null; echo; done; done',
    ]);
    let seen = "";
    watcher.stdout.setEncoding("utf8").on("data", (text: string) => {
      seen += text;
    });
    await deploy(host, many);
    watcher.kill();
    expect(seen).toContain("sha256sum");
    expect(seen).not.toContain(ada.key);
    expect(seen).not.toMatch(/0x[0-9a-f]{20}|\\\d{3}\\\d{3}/);
    await host.run(["sh", "-c", "mkdir /run/knockgate-edge.work; echo left >/run/knockgate-edge.work/left"]);
    await command(host, ["fill", "edge"]);
    expect((await host.run(["ls", "/run"])).stdout).not.toContain("knockgate");
  });
});

async function undoChange(host: LabHost, other: Policy, options?: Parameters<typeof load>[2]) {
  const id = await load(host, other, options);
  await command(host, ["undo", "edge", id, "a test"]);
}

/** A load that nft refuses, because somebody has made a chain in the table that the check did not know of. */
async function failToLoad(host: LabHost) {
  const id = await stageAndArm(host, declareTokens({ users: [ada, ben] }));
  const file = `/var/lib/knockgate/edge/changes/${id}/load`;
  await host.run(["sh", "-c", `echo "add rule inet knockgate_edge nowhere accept" >>${file}`]);
  const { code, stderr } = await command(host, ["load", "edge", id], false);
  expect([code, stderr]).toEqual([1, expect.stringContaining("what was loaded is unchanged")]);
  expect(stderr).not.toMatch(/0x[0-9a-f]{20}/);
  await command(host, ["undo", "edge", id, "a test"]);
}
