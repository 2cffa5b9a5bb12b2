import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { lowerForBackend } from "../../../src/backends/render";
import { listSlotsToTry } from "../../../src/policy/slots";
import {
  claimSpentHost,
  command,
  declareTokens,
  horizonSlots,
  listSlots,
  observe,
  range,
  sendSlot,
  setClock,
  shells,
  slotSeconds,
  spend,
} from "./token-host";

const policy = declareTokens();

describe.each(shells)("a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 13, clients: 1, shell });
  });
  afterAll(() => lab?.close());

  const claimSpent = () => claimSpentHost(lab, policy);

  const losses: readonly [string, (host: LabHost) => Promise<unknown>][] = [
    ["its rules are flushed", (host) => host.run(["nft", "flush", "ruleset"])],
    ["its table is deleted", (host) => host.run(["nft", "delete", "table", "inet", "knockgate_edge"])],
    ["somebody loads a saved copy of it", loadSaved],
  ];

  test.each(losses)("begins behind all that it ever held after %s", async (_way, lose) => {
    const [host, now] = await claimSpent();
    await lose(host);
    await command(host, ["boot", "edge"]);
    const [first, last] = [now + horizonSlots + 1, now + 2 * horizonSlots + 1];
    expect(await listSlots(host, policy)).toEqual(range(first, last));
    expect((await observe(host, policy)).tokens?.users).toMatchObject([
      { from: first * slotSeconds, until: (last + 1) * slotSeconds },
    ]);
    // What a client tries next is there, as long as it needs it.
    expect(listSlotsToTry(now, policy.tokens)).toContain(first);
    await lose(host);
    await command(host, ["boot", "edge"]);
    expect(await listSlots(host, policy)).toEqual(range(last + 1, last + 1 + horizonSlots));
  });

  const shutdowns: readonly [string, (host: LabHost) => Promise<unknown>][] = [
    ["of systemd", (host) => holdFor(host, "shutdown.target")],
    ["of another init", (host) => command(host, ["rest", "edge"])],
  ];

  test.each(shutdowns)("an orderly shutdown %s keeps what is unspent, for one load", async (_init, shut) => {
    const [host, now, left] = await claimSpent();
    await shut(host);
    // Nobody can spend a token any more.
    await sendSlot(host, policy, now + 1);
    await pause(500);
    expect(await listSlots(host, policy)).toEqual(left);
    await host.run(["nft", "flush", "ruleset"]);
    await command(host, ["boot", "edge"]);
    expect(await listSlots(host, policy)).toEqual(left);
    await spend(host, policy, now + 1);
    await host.run(["nft", "flush", "ruleset"]);
    await command(host, ["boot", "edge"]);
    expect((await listSlots(host, policy))[0]).toBe(now + horizonSlots + 1);
  });

  test("what an orderly shutdown kept is gone when tokens can be spent again", async () => {
    const [host, now, left] = await claimSpent();
    await holdFor(host, "nftables.service");
    await command(host, ["fill", "edge"]);
    expect(await listSlots(host, policy)).toEqual(left);
    await spend(host, policy, now + 1);
    await host.run(["nft", "flush", "ruleset"]);
    await command(host, ["boot", "edge"]);
    expect((await listSlots(host, policy))[0]).toBe(now + horizonSlots + 1);
  });

  test("a power cut in the middle of a load brings no token back", async () => {
    const [host, now] = await claimSpent();
    // nft loads the tokens, and the host ends before it can note anything.
    await host.run(["sh", "-c", "cat >/usr/local/sbin/nft; chmod 755 /usr/local/sbin/nft"], {
      stdin: '#!/bin/sh\n/usr/sbin/nft "$@" || exit\ncase "$*" in "-f /run/"*) kill -9 0 ;; esac\n',
    });
    await host.run(["nft", "flush", "ruleset"]);
    const boot = ["setsid", "-w", "sh", "/var/lib/knockgate/edge/host.sh", "boot", "edge"];
    expect((await host.run(boot, { check: false })).code).not.toBe(0);
    const [first] = await listSlots(host, policy);
    expect(first).toBe(now + horizonSlots + 1);
    await spend(host, policy, now + horizonSlots + 1);
    await host.run(["rm", "/usr/local/sbin/nft"]);
    await host.run(["nft", "flush", "ruleset"]);
    await command(host, ["boot", "edge"]);
    expect((await listSlots(host, policy))[0]).toBe(now + 2 * horizonSlots + 2);
  });

  test("a fill replaces a copy that somebody has loaded, and loads nothing where no gate is", async () => {
    const [host, now] = await claimSpent();
    await loadSaved(host);
    await command(host, ["fill", "edge"]);
    expect(await listSlots(host, policy)).toEqual(range(now + horizonSlots + 1, now + 2 * horizonSlots + 1));
    await host.run(["nft", "flush", "ruleset"]);
    await command(host, ["fill", "edge"]);
    expect(await host.ruleset()).toBe("");
  });

  test("a set that somebody has emptied is filled behind all that it ever held", async () => {
    const [host, now] = await claimSpent();
    const set = lowerForBackend(policy).tokenSets[1]?.name ?? "";
    await host.run(["nft", "flush", "set", "inet", "knockgate_edge", set]);
    await command(host, ["fill", "edge"]);
    expect(await listSlots(host, policy)).toEqual(range(now + horizonSlots + 1, now + 2 * horizonSlots + 1));
  });

  test("a clock that goes back brings no token back, and the later ones stay", async () => {
    const [host, now, left] = await claimSpent();
    await moveClock(host, -2 * slotSeconds);
    await command(host, ["fill", "edge"]);
    expect(await listSlots(host, policy)).toEqual([now - 2, now - 1, ...left]);
    await host.run(["nft", "flush", "ruleset"]);
    await command(host, ["boot", "edge"]);
    const slots = await listSlots(host, policy);
    expect(slots[0]).toBe(now + horizonSlots + 1);
    expect(slots).toHaveLength(horizonSlots + 1);
  });

  test("a clock that goes forward ends what is past, and the host fills from then on", async () => {
    const [host, now] = await claimSpent();
    await moveClock(host, 5 * slotSeconds);
    await command(host, ["fill", "edge"]);
    expect(await listSlots(host, policy)).toEqual(range(now + 5, now + 5 + horizonSlots));
    const year = 365 * 24;
    await moveClock(host, year * slotSeconds);
    await command(host, ["fill", "edge"]);
    expect(await listSlots(host, policy)).toEqual(range(now + 5 + year, now + 5 + year + horizonSlots));
    await moveClock(host, -year * slotSeconds);
    await command(host, ["fill", "edge"]);
    const slots = await listSlots(host, policy);
    expect(slots.filter((slot) => slot <= now + 5 + horizonSlots)).toEqual([]);
    expect(slots).toContain(now + 5 + horizonSlots + 1);
  });
});

/** Loads a copy of the table in its place, as a saved file does, with the tokens that were unspent before. */
async function loadSaved(host: LabHost) {
  await host.run([
    "sh",
    "-c",
    "nft list table inet knockgate_edge >/root/saved; nft delete table inet knockgate_edge; nft -f /root/saved",
  ]);
}

/** Does what the hold unit does when systemd is about to do something with another unit. */
async function holdFor(host: LabHost, unit: string) {
  await host.run(["sh", "-c", "cat >/usr/local/sbin/systemctl; chmod 755 /usr/local/sbin/systemctl"], {
    stdin: `#!/bin/sh\n[ "$1 $3" != "list-jobs ${unit}" ] || echo "7 ${unit} start waiting"\n`,
  });
  await command(host, ["hold", "edge"]);
}

/** Sets a host's clock. Its time since boot goes on as before. */
async function moveClock(host: LabHost, seconds: number) {
  const { stdout } = await host.run(["cat", "/root/ahead"]);
  await setClock(host, Number(stdout) + seconds);
}
