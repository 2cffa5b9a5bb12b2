import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import type { KnockgateError } from "../../../src/errors";
import type { Policy } from "../../../src/policy/policy";
import { claimHost, type Deployment, deployTo, sayUnnamed } from "./deployment";
import { listGate } from "./inspection";
import { makePolicy, oldSteps } from "./policies";
import { interfere } from "./routes";

vi.setConfig({ maxConcurrency: 20 });

const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...oldSteps] }, openForSeconds: 60 };
const vpn = {
  name: "vpn",
  protect: [{ udp: "51820" }],
  knock: { steps: [{ udp: 47_100 }, { tcp: 58_200 }, { udp: 39_300 }] },
};
/** One gate with a TCP port and a UDP port. */
const mixed = { ...ssh, protect: [{ tcp: "22" }, { udp: "60000-60010" }] };

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 12 });
});
afterAll(() => lab?.close());

function request(policy: Policy) {
  return { policy, owner: "me", undoAfterSeconds: 60 };
}

/** The proof's lines, without host and policy. */
function proofOf(context: Deployment): readonly string[] {
  return context.lines.flatMap((line) => /5\/6 prove: (.*)$/.exec(line)?.[1] ?? []);
}

async function fail(policy: Policy, context: Deployment): Promise<KnockgateError> {
  return changeHost(request(policy), context).then(
    () => Promise.reject(new Error("it did not fail")),
    (error: KnockgateError) => error,
  );
}

async function useVariant(host: LabHost, variant: string): Promise<void> {
  for (const tool of ["iptables", "ip6tables"]) {
    for (const part of ["", "-save", "-restore"]) {
      await host.run(["ln", "-s", `/usr/sbin/${tool}-${variant}${part}`, `/usr/local/sbin/${tool}${part}`]);
    }
  }
}

describe.concurrent.each([
  { backend: "nftables", variant: "nft" },
  { backend: "iptables", variant: "nft" },
  { backend: "iptables", variant: "legacy" },
] as const)("by $backend ($variant)", ({ backend, variant }) => {
  test("protected UDP ports are proven by the kernel's own counters, closed and open", async () => {
    const host = claimHost(lab);
    await useVariant(host, variant);
    const context = await deployTo(lab, host);
    await changeHost(request(makePolicy({ backend, gates: [mixed, vpn] })), context);
    expect(proofOf(context)).toEqual([
      "closed: gate ssh does not answer on TCP port 22 and lets nothing through to UDP port 60000 before the knock; its own counter saw the packets dropped",
      "closed: gate vpn lets nothing through to UDP port 51820 before the knock; its own counter saw the packets dropped",
      sayUnnamed(host),
      "open: gate ssh lets a datagram through to UDP port 60000 after the knock; its own counter saw it",
      "open: gate vpn lets a datagram through to UDP port 51820 after the knock; its own counter saw it",
      "open: gate ssh lets a fresh SSH connection through after the knock",
    ]);
  });
});

describe.concurrent.each([
  ["TCP", "-p tcp --dport 22", [ssh], "TCP port 22 of gate ssh answers before the knock (open)"],
  [
    "UDP",
    "-p udp --dport 51820",
    [ssh, vpn],
    "the drop counter of gate vpn did not count all datagrams that were sent to UDP port 51820 before the knock",
  ],
] as const)("a rule of others that accepts the gate's %s port first", (_, match, gates, said) => {
  test("fails the change, which is undone", async () => {
    const host = claimHost(lab);
    const intrude = () => host.run(["iptables", "-I", "INPUT", "1", ...match.split(" "), "-j", "ACCEPT"]);
    const context = await deployTo(lab, host, interfere({ after: { load: intrude } }));
    const error = await fail(makePolicy({ backend: "iptables", gates: [...gates] }), context);
    expect(error.message).toContain(said);
    expect(error.message).toContain("The host has put back what it had before.");
    expect(error.code).toBe("NOT_CONFIRMED");
    expect((await host.run(["iptables-save"])).stdout).not.toContain("kg_edge");
  });
});

describe.concurrent("from a machine that need not knock", () => {
  test("neither closed nor open is said to be proven", async () => {
    const host = claimHost(lab);
    const context = await deployTo(lab, host);
    await changeHost(request(makePolicy({ gates: [ssh, vpn], allowFrom: [lab.outside.ipv4] })), context);
    const reason =
      "because this machine's address is in allowFrom; set proveFrom to a machine that has to knock";
    expect(proofOf(context)).toEqual([
      `closed: not checked, ${reason}`,
      `open: not checked, ${reason}`,
      sayUnnamed(host),
      "open: a fresh SSH connection comes through without a knock, because this machine's address is in allowFrom",
    ]);
  });
});

describe.concurrent("a packet that does not reach the gate", () => {
  test("is no proof that the gate dropped it: the error names what else drops it, and the change fails", async () => {
    const host = claimHost(lab);
    await host.run(["nft", "-f", "-"], {
      stdin: `table inet others { chain input { type filter hook input priority -200;
udp dport 51820 drop
}
}\n`,
    });
    const error = await fail(makePolicy({ gates: [ssh, vpn] }), await deployTo(lab, host));
    expect(error.message).toContain("the drop counter of gate vpn did not count all datagrams");
    expect(await listGate(host)).toBe("");
  });

  test("on a TCP port leaves only silence, and the log says so", async () => {
    const host = claimHost(lab);
    const web = { ...vpn, name: "web", protect: [{ tcp: "8443" }] };
    const context = await deployTo(lab, host);
    const swallowing = await lab.swallow({ to: host, protocol: "tcp", port: 8443 });
    const error = await fail(makePolicy({ gates: [ssh, web] }), context);
    await swallowing.restore();
    expect(proofOf(context)).toContain(
      "closed: gate web does not answer on TCP port 8443 before the knock; its own counter saw nothing, so something else drops it first",
    );
    expect(error.message).toContain("TCP port 8443 of gate web does not answer after 3 knocks");
  });
});
