import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { giveName } from "../../../lab/names";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import type { KnockgateError } from "../../../src/errors";
import type { Policy } from "../../../src/policy/policy";
import { writePolicy } from "../../../src/policy/written-policy";
import { connectionThrough } from "./bastions";
import { createGate } from "./create-gate";
import { claimHost, connectionTo, type Deployment, openDeployment, sayUnnamed } from "./deployment";
import { listGate } from "./inspection";
import { makePolicy } from "./policies";

vi.setConfig({ maxConcurrency: 20 });

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 17 });
});
afterAll(() => lab?.close());
afterEach(() => vi.restoreAllMocks());

function request(policy: Policy) {
  return { policy, owner: "me", undoAfterSeconds: 60 };
}

/** A deployer who reaches a host by a name with several addresses. */
async function deployByName(host: LabHost, more: readonly string[] = [host.ipv6]): Promise<Deployment> {
  const name = `${host.name}-${host.ipv4.replaceAll(".", "-")}.test`;
  await giveName(name, [host.ipv4, ...more]);
  return openDeployment({ ...connectionTo(lab, host, { perDialTimeout: 2 }), host: name });
}

/** The proof's lines, without host and policy. */
function proofOf(context: Deployment): readonly string[] {
  return context.lines.flatMap((line) => /5\/6 prove: (.*)$/.exec(line)?.[1] ?? []);
}

async function fail(acting: Promise<unknown>): Promise<KnockgateError> {
  return acting.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: KnockgateError) => error,
  );
}

/** Somebody's NAT redirects SSH past the gate, in one family. */
async function sneakPast(host: LabHost, family: "ip" | "ip6"): Promise<void> {
  const [flag, address] = family === "ip" ? ["-4", host.ipv4] : ["-6", host.ipv6];
  host.spawn(["nc.openbsd", flag, "-lk", "2222"]);
  await expect.poll(() => tryConnect("outside", address, 2_222, 400), { timeout: 10_000 }).toBe("open");
  await host.run(["nft", "-f", "-"], {
    stdin: `table ${family} others {
chain prerouting { type nat hook prerouting priority dstnat; tcp dport 22 redirect to :2222
}
}\n`,
  });
}

async function nameOn(machine: LabHost, host: LabHost): Promise<string> {
  const name = `${host.name}.inner.test`;
  await machine.run(["sh", "-c", "cat >>/etc/hosts"], {
    stdin: `${host.ipv4} ${name}\n${host.ipv6} ${name}\n`,
  });
  return name;
}

const proven = (target: string) => [
  `closed: gate ssh does not answer on TCP port 22 of ${target} before the knock; its own counter saw the packets dropped`,
  `open: gate ssh answers on TCP port 22 of ${target} after the knock (open)`,
];

describe.concurrent("a host with an IPv4 and an IPv6 address", () => {
  test.each(["nftables", "iptables"] as const)("is proven at both, by %s", async (backend) => {
    const host = claimHost(lab);
    const context = await deployByName(host);
    await changeHost(request(makePolicy({ backend })), context);
    const [reached, other] = context.routes.map(({ target }) => target);
    expect([reached, other].sort()).toEqual([host.ipv4, host.ipv6].sort());
    expect(proofOf(context)).toEqual([
      proven(`${reached}`)[0],
      ...proven(`${other}`),
      "open: gate ssh lets a fresh SSH connection through after the knock",
    ]);
  });

  test.each([
    ["ip6", "nftables"],
    ["ip", "nftables"],
    ["ip6", "iptables"],
  ] as const)(
    "of which somebody's redirection for %s leads past the gate fails the change, which is undone (%s)",
    async (family, backend) => {
      const host = claimHost(lab);
      await sneakPast(host, family);
      const error = await fail(changeHost(request(makePolicy({ backend })), await deployByName(host)));
      const address = family === "ip" ? host.ipv4 : host.ipv6;
      expect(error.message).toContain(
        `TCP port 22 of gate ssh answers at ${address} before the knock (open)`,
      );
      expect(error.message).toContain("The host has put back what it had before.");
      expect(error.code).toBe("NOT_CONFIRMED");
      expect(await listGate(host)).toBe("");
    },
  );

  test("of which one is in allowFrom is proven at the other, and says so", async () => {
    const host = claimHost(lab);
    const context = await deployByName(host);
    await changeHost(request(makePolicy({ allowFrom: [lab.outside.ipv6] })), context);
    const lines = proofOf(context).join("\n");
    expect(lines).toContain(proven(host.ipv4)[0]);
    expect(lines).not.toContain(`of ${host.ipv6} before`);
    expect(lines).toMatch(
      /not checked, because (this machine's address|fd77:\S+, the address that it is tried from,) is in allowFrom/,
    );
  });

  test("of which one gets no packet says that it is not checked, and why", async () => {
    const host = claimHost(lab);
    await host.run(["nft", "-f", "-"], {
      stdin: `table ip6 others {
chain raw { type filter hook prerouting priority -400; meta l4proto { tcp, udp } drop
}
}\n`,
    });
    const context = await deployByName(host);
    await changeHost(request(makePolicy()), context);
    expect(proofOf(context)).toContain(
      `IPv6 (${host.ipv6}): not checked, because nothing that was sent to it reached a gate, and it does not answer even after the knock`,
    );
    expect(proofOf(context).join("\n")).not.toContain(`of ${host.ipv6}`);
  });

  test("to which this machine has no route says so", async () => {
    const host = claimHost(lab);
    const context = await deployByName(host, ["2001:db8:9::9"]);
    await changeHost(request(makePolicy()), context);
    expect(proofOf(context)).toContain(
      "IPv6 (2001:db8:9::9): not checked, because this machine has no route to it, or no IPv6 address to send from",
    );
  });

  test("that is named by one address says that the other is not checked", async () => {
    const host = claimHost(lab);
    const context = await openDeployment(connectionTo(lab, host));
    await changeHost(request(makePolicy()), context);
    expect(proofOf(context)).toContain(sayUnnamed(host));
  });
});

describe.concurrent("through a bastion", () => {
  test("a redirection in one family is found through a bastion", async () => {
    const [bastion, host] = [claimHost(lab), claimHost(lab)];
    await sneakPast(host, "ip6");
    const name = await nameOn(bastion, host);
    const context = await openDeployment({ ...connectionThrough(lab, bastion, host), host: name });
    const error = await fail(changeHost(request(makePolicy()), context));
    context.close();
    expect(error.message).toContain(`answers at ${host.ipv6} before the knock (open)`);
  });

  test("each address is proven through a bastion", async () => {
    const [bastion, host] = [claimHost(lab), claimHost(lab)];
    const name = await nameOn(bastion, host);
    const context = await openDeployment({ ...connectionThrough(lab, bastion, host), host: name });
    await changeHost(request(makePolicy()), context);
    context.close();
    const other = context.routes[1]?.target;
    expect(proofOf(context)).toEqual(expect.arrayContaining(proven(`${other}`)));
  });
});

describe("from a machine to prove from", () => {
  test("a redirection in one family is found, and one without IPv6 says that it can't tell", async () => {
    const [machine, host] = [claimHost(lab), claimHost(lab)];
    const name = await nameOn(machine, host);
    await giveName(name, [host.ipv4, host.ipv6]);
    const said = vi.spyOn(console, "log").mockReturnValue();
    const policy = { name: "edge", gates: writePolicy(makePolicy()).gates };
    const given = {
      connection: { ...connectionTo(lab, host), host: name },
      proveFrom: connectionTo(lab, machine, { user: "plain" }),
      policy,
    };
    await sneakPast(host, "ip6");
    const error = await fail(createGate(given));
    expect(error.message).toContain(`answers at ${host.ipv6} before the knock (open)`);
    await machine.run(["ip", "-6", "addr", "flush", "dev", "eth0"]);
    await createGate(given);
    const lines = said.mock.calls.map(([line]) => `${line}`).join("\n");
    expect(lines).toMatch(
      new RegExp(`IPv6 \\(${host.ipv6}\\): not checked, because plain@\\S+ has no route to it`),
    );
    expect(lines).toContain("gate ssh answers on TCP port 22 after the knock (open)");
  });
});
