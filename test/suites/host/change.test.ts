import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { type Packets, sendKnock, tryConnect } from "../../../lab/packets";
import { renderNftables } from "../../../src/backends/nftables/render";
import { lowerForBackend } from "../../../src/backends/render";
import { changeHost } from "../../../src/change/change";
import { digestText } from "../../../src/policy/digest";
import { writePolicy } from "../../../src/policy/written-policy";
import { claimHost, connectionTo, deployTo, openDeployment, sayUnnamed } from "./deployment";
import { confirmedFiles, findTimers, isLetIn, listFiles, listGate, waitForNoTimer } from "./inspection";
import { makePolicy, newPolicy, newSteps, oldPolicy, oldSteps } from "./policies";
import { interfere } from "./routes";

const request = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...request, policy: newPolicy, formerPolicies: [oldPolicy] };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["dash", "busybox"] as const)("on a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 17, clients: 1, shell });
  });
  afterAll(() => lab?.close());

  /** Returns a host that has the old policy. */
  async function claimGated(): Promise<LabHost> {
    const host = claimHost(lab);
    await changeHost(request, await deployTo(lab, host));
    return host;
  }
  const client = () => {
    const [first] = lab.clients;
    if (first === undefined) throw new Error("no client");
    return first;
  };

  test("a first change closes the gate and leaves one confirmed change, no timer", async () => {
    const host = claimHost(lab);
    let armed: readonly string[] = [];
    const look = async () => {
      armed = await listFiles(host);
    };
    const context = await deployTo(lab, host, interfere({ before: { confirm: look } }));
    const { digest } = await changeHost(request, context);
    // The files that a boot runs or loads are written by confirm.
    expect(armed).toContain("f 0600 /var/lib/knockgate/edge/pending");
    expect(armed.filter((file) => /edge\/(host\.sh|confirmed)/.test(file))).toEqual([]);
    expect(digest).toBe(digestText(renderNftables(lowerForBackend(oldPolicy))));
    expect(context.lines.map((line) => /: (\d)\/6 /.exec(line)?.[1])).toEqual([..."12345556"]);
    expect(await listFiles(host)).toEqual(confirmedFiles);
    await waitForNoTimer(host);
    expect(await isLetIn(client(), host)).toBe(false);
    expect(await isLetIn(client(), host, oldSteps)).toBe(true);
  });

  test("an update goes through the closed gate and exchanges the knock", async () => {
    const host = await claimGated();
    await changeHost(update, await deployTo(lab, host));
    expect(await isLetIn(client(), host, oldSteps)).toBe(false);
    expect(await isLetIn(client(), host, newSteps)).toBe(true);
    expect(await listFiles(host)).toEqual(confirmedFiles);
    await waitForNoTimer(host);
  });

  test("an update keeps the doors open that others have opened", async () => {
    const host = await claimGated();
    expect(await isLetIn(client(), host, oldSteps)).toBe(true);
    const context = await deployTo(lab, host);
    await changeHost(update, context);
    expect(context.lines.join("\n")).toContain("4/6 load: the new ruleset is loaded; open doors stay open");
    expect(await isLetIn(client(), host)).toBe(true);
  });

  test("an update to what is there stages nothing", async () => {
    const host = await claimGated();
    const look = () => host.run(["find", "/var/lib", "-printf", "%p %i %T@ %C@\\n"]);
    const before = await look();
    const context = await deployTo(lab, host);
    await changeHost({ ...request, formerPolicies: [oldPolicy] }, context);
    expect(context.lines.slice(1)).toEqual([expect.stringContaining("nothing to change")]);
    expect(await look()).toEqual(before);
  });

  test("a host that has only an IPv6 address is gated as well", async () => {
    const host = claimHost(lab);
    const connection = connectionTo(lab, host, { host: host.ipv6 });
    await changeHost(request, await openDeployment(connection));
    await changeHost(update, await openDeployment(connection));
    expect(await tryConnect(client(), host.ipv6, 22, 1_000)).toBe("silent");
    await sendKnock(client(), { to: host.ipv6, steps: [{ udp: 41_101 }, { tcp: 52_102 }] });
    await sendKnock(client(), { to: host.ipv6, steps: [{ udp: 36_103 }, { tcp: 33_104 }] });
    expect(await tryConnect(client(), host.ipv6, 22, 1_000)).toBe("open");
  });

  // Debian turns use_pty on, and then sudo hangs up on the processes that it started. The timer must survive that.
  test.each(["", "Defaults use_pty\n"])(
    "a user with sudo does what root does (sudoers: %j)",
    async (more) => {
      const host = claimHost(lab);
      await host.run(["sh", "-c", "cat >>/etc/sudoers"], { stdin: more });
      const connection = connectionTo(lab, host, { user: "ops" });
      await changeHost(request, await openDeployment(connection));
      expect(await listFiles(host)).toEqual(confirmedFiles);
      let timers: readonly string[] = [];
      const look = async () => {
        timers = await findTimers(host);
      };
      await changeHost(update, await openDeployment(connection, interfere({ before: { confirm: look } })));
      expect(timers).toHaveLength(1);
      await waitForNoTimer(host);
    },
  );

  test("a user without sudo is refused and nothing is changed", async () => {
    const host = claimHost(lab);
    const context = await openDeployment(connectionTo(lab, host, { user: "plain" }));
    await expect(changeHost(request, context)).rejects.toMatchObject({
      code: "NOT_ALLOWED",
      message: expect.stringContaining("Nothing was changed"),
    });
    expect([await host.ruleset(), await listFiles(host)]).toEqual(["", []]);
  });

  test.each([
    ["another key", writeKey("ssh-ed25519", Buffer.alloc(32, 7))],
    ["a key of another kind", writeKey("ecdsa-sha2-nistp256", Buffer.from("nistp256"), Buffer.alloc(65, 4))],
  ])("%s than the pinned one ends it before anything is sent", async (_what, hostKey) => {
    const host = claimHost(lab);
    const context = await openDeployment(connectionTo(lab, host, { hostKey }));
    await expect(changeHost(request, context)).rejects.toMatchObject({
      code: "HOST_KEY_MISMATCH",
      message: expect.stringContaining("Nothing was sent"),
    });
    expect(host.sshdLog()).not.toMatch(/Accepted|Postponed|Failed|userauth/);
    expect([await host.ruleset(), await listFiles(host)]).toEqual(["", []]);
  });

  test("two gates and one of UDP alone are proved each by its own knock", async () => {
    const host = claimHost(lab);
    const web = {
      name: "web-1",
      protect: [{ tcp: "8000-8010" }, { tcp: "9000" }],
      knock: { steps: [{ tcp: 61_001 }] },
    };
    const vpn = { name: "vpn", protect: [{ udp: "51820" }], knock: { steps: [{ udp: 61_002 }] } };
    const policy = makePolicy({ gates: [web, vpn, ...writePolicy(oldPolicy).gates] as never });
    const context = await deployTo(lab, host);
    await changeHost({ ...request, policy }, context);
    expect(context.lines.flatMap((line) => / 5\/6 prove: (.*)$/.exec(line)?.[1] ?? [])).toEqual([
      "closed: gate web-1 does not answer on TCP port 8000 before the knock; its own counter saw the packets dropped",
      "closed: gate vpn lets nothing through to UDP port 51820 before the knock; its own counter saw the packets dropped",
      "closed: gate ssh does not answer on TCP port 22 before the knock; its own counter saw the packets dropped",
      sayUnnamed(host),
      "open: gate web-1 answers on TCP port 8000 after the knock (refused)",
      "open: gate vpn lets a datagram through to UDP port 51820 after the knock; its own counter saw it",
      "open: gate ssh lets a fresh SSH connection through after the knock",
    ]);
    expect(await tryConnect(client(), host.ipv4, 8_010, 500)).toBe("silent");
    expect(await isLetIn(client(), host, [{ tcp: 61_001 }])).toBe(false);
    expect(await tryConnect(client(), host.ipv4, 8_010, 500)).toBe("refused");
  });

  test("a deployer in allowFrom is told that the closed gate could not be checked", async () => {
    const host = claimHost(lab);
    const context = await deployTo(lab, host);
    const policy = makePolicy({ allowFrom: [lab.outside.ipv4] });
    await changeHost({ ...request, policy }, context);
    expect(context.lines.join("\n")).toContain(
      "closed: not checked, because this machine's address is in allowFrom",
    );
    expect(await isLetIn("outside", host)).toBe(true);
    expect(await isLetIn(client(), host)).toBe(false);
  });

  test("two policies live on one host, each in its own table and folder", async () => {
    const host = await claimGated();
    const before = await listGate(host);
    const gate = {
      name: "web",
      protect: [{ tcp: "8080" }],
      knock: { steps: [{ tcp: 61_001 }, { tcp: 51_002 }] },
    };
    // The first policy's gate protects SSH, and the second policy's state does not know its knock.
    await sendKnock("outside", { to: host.ipv4, steps: oldSteps as Packets["steps"], pauseMs: 20 });
    await changeHost(
      { ...request, policy: makePolicy({ name: "web-2", gates: [gate] }) },
      await deployTo(lab, host),
    );
    expect(await listGate(host)).toBe(before);
    expect(await listGate(host, "web-2")).toContain("61001");
    expect((await listFiles(host)).filter((file) => file.startsWith("l"))).toEqual([
      "l /var/lib/knockgate/edge/confirmed",
      "l /var/lib/knockgate/web-2/confirmed",
    ]);
  });

  test("a ruleset that somebody changes before it is confirmed is not confirmed", async () => {
    const host = await claimGated();
    const old = await listGate(host);
    const rule = [
      "nft",
      "insert",
      "rule",
      "inet",
      "knockgate_edge",
      "ssh_door",
      "tcp",
      "dport",
      "22",
      "accept",
    ];
    const wrap = interfere({ before: { confirm: () => host.run(rule) } });
    await expect(changeHost(update, await deployTo(lab, host, wrap))).rejects.toMatchObject({
      code: "NOT_CONFIRMED",
      message: expect.stringContaining("confirm failed: the table changed between load and confirm"),
    });
    expect(await listGate(host)).toBe(old);
    await waitForNoTimer(host);
  });

  test("a drifted host gets its ruleset back by the next change", async () => {
    const host = await claimGated();
    const before = await listGate(host);
    await host.run(["nft", "flush", "chain", "inet", "knockgate_edge", "ssh_door"]);
    const context = await deployTo(lab, host);
    await changeHost({ ...request, formerPolicies: [oldPolicy] }, context);
    expect(context.lines[0]).toContain("the loaded ruleset is not the confirmed one");
    expect(await listGate(host)).toBe(before);
  });
});

/** A public key as OpenSSH writes it: each field after its length (RFC 4253, 6.6). */
function writeKey(type: string, ...fields: readonly Buffer[]): string {
  const parts = [Buffer.from(type), ...fields].flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  });
  return `${type} ${Buffer.concat(parts).toString("base64")}`;
}
