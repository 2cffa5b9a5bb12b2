import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { probePort, sendKnock } from "../../../src/knock/send-knock";
import { readStep } from "../../../src/policy/step";
import { findRoutes } from "../../../src/ssh/routes";
import { claimHost, readConnection } from "./deployment";

/** Counts packets before anything answers. Dropped packets are never answered. */
const counters = `
table inet count {
	counter silent {}
	counter refused {}
	counter answered {}
	counter datagram {}
	chain input {
		type filter hook input priority -300
		tcp dport 7001 counter name silent drop
		tcp dport 7002 tcp flags syn counter name refused
		tcp dport 22 tcp flags & (syn | ack) == syn counter name answered
		udp dport 7003 counter name datagram
	}
}
`;

describe.concurrent("a knock", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 3 });
  });
  afterAll(() => lab?.close());

  async function count(host: LabHost): Promise<Readonly<Record<string, string>>> {
    const { stdout } = await host.run(["nft", "list", "counters", "table", "inet", "count"]);
    return Object.fromEntries(
      [...stdout.matchAll(/counter (\w+) \{\s+packets (\d+)/g)].map(([, name = "", packets = ""]) => [
        name,
        packets,
      ]),
    );
  }

  test.each(["ipv4", "ipv6"] as const)(
    "sends each step once over %s, whatever comes back",
    async (family) => {
      const host = claimHost(lab);
      await host.run(["nft", "-f", "-"], { stdin: counters });
      const steps = [{ tcp: 7_001 }, { tcp: 7_002 }, { udp: 7_003 }, { tcp: 22 }];
      await sendKnock(host[family], steps.map(readStep));
      // The kernel would send a SYN without an answer again after 1 s (RFC 6298, 2.1), and once more after 3 s.
      await pause(3_500);
      expect(await count(host)).toEqual({ silent: "1", refused: "1", answered: "1", datagram: "1" });
    },
  );

  test("tells a port that is open from one that refuses and one that is silent", async () => {
    const host = claimHost(lab);
    await host.run(["nft", "-f", "-"], { stdin: counters });
    const answers = [22, 7_002, 7_001].map((port) => probePort(host.ipv4, port, 1_000));
    expect(await Promise.all(answers)).toEqual(["open", "refused", "silent"]);
  });

  test("reports an address without a route as silent", async () => {
    expect(await probePort("203.0.113.7", 22, 300)).toBe("silent");
  });

  test("that can't be sent at all does not stop the try at the next address", async () => {
    const connection = await readConnection({ host: "203.0.113.7", ignoreHostKey: true });
    const [route] = (await findRoutes(connection, [])).routes;
    await expect(route?.knock([{ kind: "udp", port: 7_003 }])).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("203.0.113.7"),
    });
  });
});
