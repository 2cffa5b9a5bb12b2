import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { stepsOf } from "../../../src/policy/knock";
import type { Policy } from "../../../src/policy/policy";
import { readStep, type StepInput } from "../../../src/policy/step";
import { findRoutes } from "../../../src/ssh/routes";
import { allowEcho, connectionThrough, countStrangers, hideBehind } from "./bastions";
import { claimHost, openDeployment, readConnection, waitUntil } from "./deployment";
import { isLetIn, listFiles, listGate } from "./inspection";
import { makePolicy } from "./policies";
import { reconfigureSshd } from "./sshd";

const steps: readonly StepInput[] = [
  { tcp: 47_001 },
  { udp: 58_002, udpPayloadBytes: 9 },
  { icmpPayloadBytes: 77 },
  { tcp: 39_003 },
];
const otherSteps: readonly StepInput[] = [{ icmpPayloadBytes: 301 }, { udp: 41_101 }, { tcp: 52_102 }];
/** A gate whose door closes soon, so that a test can see it closed. */
function makeGate(knock: readonly StepInput[]): Policy {
  const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...knock] }, openForSeconds: 4 };
  return makePolicy({ gates: [ssh] });
}

const first = { policy: makeGate(steps), owner: "owner-of-edge", undoAfterSeconds: 60 };
const ports = /(?<!\w)(47001|58002|39003|41101|52102)(?!\w)/;

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("through a bastion", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 12 });
  });
  afterAll(() => lab?.close());

  async function placeBehind(): Promise<{ bastion: LabHost; host: LabHost }> {
    const [bastion, host] = [claimHost(lab), claimHost(lab)];
    await Promise.all([allowEcho(bastion), hideBehind(bastion, host)]);
    return { bastion, host };
  }

  test.each(["ipv4", "ipv6"] as const)(
    "a host that takes packets only from there is gated, changed and freed over %s, knocked by TCP, UDP and ICMP",
    async (family) => {
      const { bastion, host } = await placeBehind();
      const connection = { ...connectionThrough(lab, bastion, host), host: host[family] };
      const open = (policies: readonly Policy[]) =>
        openDeployment(
          connection,
          undefined,
          policies.flatMap(({ gates }) => gates.flatMap(stepsOf)),
        );

      const sampler = bastion.spawn(["sh", "-c", "while :; do cat /proc/[0-9]*/cmdline 2>/dev/null; done"]);
      let sample = "";
      sampler.stdout.setEncoding("latin1").on("data", (text: string) => {
        sample += text;
      });
      const created = await open([first.policy]);
      await changeHost(first, created);
      created.close();
      expect(created.lines.join("\n")).toMatch(/open: gate ssh lets a fresh SSH connection through/);
      expect(created.lines[0]).toContain(`${host[family]}:22 through bastion plain@${bastion.ipv4}:22`);
      await waitForClosed(bastion, host);

      const changed = { ...first, policy: makeGate(otherSteps), formerPolicies: [first.policy] };
      const updated = await open([changed.policy, first.policy]);
      await changeHost(changed, updated);
      updated.close();

      const removed = await open([changed.policy]);
      await removeFromHost(changed.policy, first.owner, removed);
      removed.close();
      expect(await tryConnect(bastion, host[family], 22, 2_000)).toBe("open");
      expect([await listGate(host), await listFiles(host)]).toEqual(["", []]);
      expect(await countStrangers(host)).toBe(0);
      sampler.kill("SIGKILL");
      // The program that sends the knocks: without it the sample would prove nothing.
      expect(sample).toMatch(/perl\0-\0/);
      expect(sample).not.toMatch(ports);
      expect([...created.lines, ...updated.lines].join("\n")).not.toMatch(ports);
    },
  );

  test("many gates are proven by a bastion whose sshd runs only one command at a time", async () => {
    const { bastion, host } = await placeBehind();
    await reconfigureSshd(bastion, ["MaxSessions 1"]);
    const protectedPorts = Array.from({ length: 12 }, (_, index) => 2_000 + index);
    const gates = [22, ...protectedPorts].map((port) => ({
      name: `gate-${port}`,
      protect: [{ tcp: `${port}` }, { udp: `${port}` }],
      knock: { steps: [{ tcp: 30_000 + port }, { udp: 40_000 + port }] },
    }));
    const policy = makePolicy({ gates, acceptRisks: [] });
    const context = await openDeployment(connectionThrough(lab, bastion, host), undefined, []);
    await changeHost({ ...first, policy }, context);
    context.close();
    for (const port of protectedPorts) {
      expect(context.lines.join("\n")).toContain(
        `closed: gate gate-${port} does not answer on TCP port ${port} and`,
      );
    }
  });

  test("a failed change is undone over the existing connection", async () => {
    const { bastion, host } = await placeBehind();
    const lossy = `table inet lossy {
	chain input {
		type filter hook prerouting priority -400;
		udp dport 58002 drop
	}
}`;
    await host.run(["nft", "-f", "-"], { stdin: lossy });
    const before = await listWithoutCounts(host);
    const context = await openDeployment(
      connectionThrough(lab, bastion, host),
      undefined,
      steps.map(readStep),
    );
    await expect(changeHost(first, context)).rejects.toMatchObject({
      code: "NOT_CONFIRMED",
      message: expect.stringContaining("The host has put back what it had before"),
    });
    context.close();
    expect(await listWithoutCounts(host)).toBe(before);
  });

  test("a dial that gets no answer ends with no SYN left behind, and the knock after it opens", async () => {
    const { bastion, host } = await placeBehind();
    const context = await openDeployment(
      connectionThrough(lab, bastion, host),
      undefined,
      steps.map(readStep),
    );
    await changeHost(first, context);
    context.close();
    await waitForClosed(bastion, host);
    const counting = `table inet late {
	counter syns {}
	chain input {
		type filter hook prerouting priority -400;
		tcp dport 22 tcp flags & (syn | ack) == syn counter name syns
	}
}`;
    await host.run(["nft", "-f", "-"], { stdin: counting });
    const count = async () => {
      const { stdout } = await host.run(["nft", "list", "counter", "inet", "late", "syns"]);
      return Number(/packets (\d+)/.exec(stdout)?.[1]);
    };
    const passage = await findRoutes(
      await readConnection(connectionThrough(lab, bastion, host)),
      steps.map(readStep),
    );
    const [route] = passage.routes;
    await expect(route?.connect(500)).rejects.toMatchObject({ code: "UNREACHABLE" });
    const syns = await count();
    // The kernel would send it again after 1 s, and after 3 s (RFC 6298, 2.1).
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect([syns, await count()]).toEqual([1, 1]);
    await route?.knock(steps.map(readStep));
    const connection = await route?.connect(5_000);
    expect((await connection?.run({ commands: "id -u\n" }, 5_000))?.stdout).toBe("0\n");
    connection?.close();
    passage.close();
  });
});

async function waitForClosed(bastion: LabHost, host: LabHost): Promise<void> {
  await waitUntil("the door is closed", 20_000, async () => !(await isLetIn(bastion, host)));
}

async function listWithoutCounts(host: LabHost): Promise<string> {
  return (await host.ruleset()).replace(/packets \d+ bytes \d+/g, "");
}
