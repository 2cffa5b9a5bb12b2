import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { LabClient } from "../../../lab/machine";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import type { Policy } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";
import { claimHost, deployTo } from "../host/deployment";
import { firewalls } from "./firewalls";
import { listForeign } from "./foreign";

vi.setConfig({ maxConcurrency: 4 });

const webPort = 8_443;
const sshSteps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const webSteps = [{ tcp: 41_104 }, { udp: 52_105 }, { tcp: 36_106 }];
const otherSteps = [{ udp: 33_107 }, { tcp: 44_108 }, { udp: 31_109 }, { tcp: 38_110 }];
const backends = ["nftables", "iptables"] as const;

function gated(backend: (typeof backends)[number], steps: readonly { tcp?: number; udp?: number }[]): Policy {
  return readPolicy({
    name: "edge",
    backend,
    gates: [
      { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps] } },
      { name: "web", protect: [{ tcp: `${webPort}` }], knock: { steps: webSteps } },
    ],
  });
}

describe.concurrent.each(firewalls)("on a host with $name", (firewall) => {
  describe.concurrent.each(backends)("a gate of the backend %s", (backend) => {
    let lab: Lab;
    let client: LabClient;
    beforeAll(async () => {
      lab = await openLab({ hosts: 2, clients: 1 });
      const [first] = lab.clients;
      if (first === undefined) throw new Error("expected a client");
      client = first;
    });
    afterAll(() => lab?.close());

    const request = { policy: gated(backend, sshSteps), owner: "me", undoAfterSeconds: 60 };
    const update = {
      ...request,
      policy: gated(backend, otherSteps),
      formerPolicies: [request.policy],
    };

    test("works, and leaves all rules of others as they were: made, changed and removed", async () => {
      const host = claimHost(lab);
      await firewall.load(host, [webPort]);
      const before = await listForeign(host);
      expect(before).toContain(`${webPort}`);

      const making = await deployTo(lab, host);
      await changeHost(request, making);
      expect(making.lines.filter((line) => line.includes("warning"))).toEqual([]);
      expect(await listForeign(host)).toBe(before);
      expect(await answersOf(host)).toEqual(["silent", "silent"]);
      await sendKnock(client, { to: host.ipv4, steps: sshSteps });
      expect(await answersOf(host)).toEqual(["open", "silent"]);
      await sendKnock(client, { to: host.ipv4, steps: webSteps });
      // Nothing listens there: a refusal is the host's own answer, so no firewall dropped the packet.
      expect(await answersOf(host)).toEqual(["open", "refused"]);

      await changeHost(update, await deployTo(lab, host));
      expect(await listForeign(host)).toBe(before);
      await sendKnock(client, { to: host.ipv6, steps: otherSteps });
      expect(await tryConnect(client, host.ipv6, 22, patienceMs)).toBe("open");
      expect(await tryConnect(client, host.ipv6, webPort, silenceMs)).toBe("silent");

      await removeFromHost(update.policy, "me", await deployTo(lab, host));
      expect(await listForeign(host)).toBe(before);
      expect(await host.ruleset()).not.toMatch(/knockgate|kg_edge/);
      expect(await tryConnect("outside", host.ipv4, 22, patienceMs)).toBe("open");
      expect(await tryConnect("outside", host.ipv4, webPort, patienceMs)).toBe("refused");
    });

    const isInSameTable = backend === "iptables" && firewall.chains.includes("ip filter INPUT");
    const testIf = (holds: boolean) => (holds ? test : () => undefined);
    testIf(isInSameTable)("opens a port that the firewall drops: its accept comes first", async () => {
      const host = claimHost(lab);
      await firewall.load(host, []);
      const before = await listForeign(host);
      const context = await deployTo(lab, host);
      await changeHost(request, context);
      expect(context.lines.filter((line) => line.includes("warning"))).toEqual([]);
      expect(await listForeign(host)).toBe(before);
      expect(await answersOf(host)).toEqual(["silent", "silent"]);
      await sendKnock(client, { to: host.ipv4, steps: webSteps });
      expect(await answersOf(host)).toEqual(["silent", "refused"]);
    });

    testIf(!isInSameTable)(
      "is undone where the firewall drops the port, and the log says where",
      async () => {
        const host = claimHost(lab);
        await firewall.load(host, []);
        const before = await listForeign(host);
        const context = await deployTo(lab, host);
        await expect(changeHost(request, context)).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
        expect(context.lines.filter((line) => line.includes("warning"))).toEqual(
          firewall.chains.map((chain) =>
            expect.stringMatching(`1/6 connect: warning: chain ${chain} .* TCP port ${webPort}`),
          ),
        );
        expect(await listForeign(host)).toBe(before);
        expect(await host.ruleset()).not.toMatch(/knockgate|kg_edge/);
      },
    );

    async function answersOf(host: LabHost): Promise<readonly string[]> {
      const ssh = await tryConnect(client, host.ipv4, 22, silenceMs);
      return [ssh, await tryConnect(client, host.ipv4, webPort, silenceMs)];
    }
  });
});

/**
 * A SYN is sent again after a second (RFC 6298, 2.1): this time is long enough for an answer, and to call it silence.
 */
const silenceMs = 900;
const patienceMs = 3_000;
