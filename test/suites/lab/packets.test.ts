import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { LabClient } from "../../../lab/machine";
import { sendKnock, tryConnect } from "../../../lab/packets";

describe("packets", () => {
  let lab: Lab;
  let host: LabHost;
  let client: LabClient;
  beforeAll(async () => {
    lab = await openLab({ hosts: 1, clients: 1 });
    [host] = oneOf(lab.hosts);
    [client] = oneOf(lab.clients);
    await host.run(["nft", "-f", "-"], { stdin: countingRules });
  });
  beforeEach(() => host.run(["nft", "reset", "counters"]));
  afterAll(() => lab?.close());

  test.each(["ipv4", "ipv6"] as const)(
    "each arrive once, over %s, whether answered or not",
    async (family) => {
      const steps = [{ tcp: 7000 }, { tcp: 7001 }, { udp: 7002 }, { icmpPayloadBytes: 77 }, { tcp: 22 }];
      await sendKnock(client, { to: host[family], steps });
      await sendKnock("outside", { to: host[family], steps, pauseMs: 0 });
      await sleep(1_500); // a SYN would be repeated after a second
      expect(await countedPackets(host)).toEqual({ silent: 2, refused: 2, datagram: 2, echo: 2, open: 2 });
    },
  );

  test.each([
    ["silent", 7000],
    ["refused", 7001],
    ["open", 22],
  ])("come doubled, with one source port, to a port that is %s", async (answer, port) => {
    await host.run(["nft", "flush", "set", "inet", "counting", "sources"]);
    const steps = [{ tcp: port }, { tcp: port }];
    await sendKnock(client, { to: host.ipv4, steps, pauseMs: 0, sourcePort: 5555 });
    expect((await countedPackets(host))[answer]).toBe(2);
    expect(await host.ruleset()).toContain(`elements = { ${client.ipv4} . 5555 }`);
  });

  test("tell an open, a refused and a silent port apart", async () => {
    const attempts = [22, 7001, 7000].map((port) => tryConnect(client, host.ipv6, port, 500));
    expect(await Promise.all(attempts)).toEqual(["open", "refused", "silent"]);
  });

  test("that cannot leave are an error", async () => {
    await expect(sendKnock("outside", { to: "192.0.2.1", steps: [{ tcp: 1 }] })).rejects.toThrow(
      "ENETUNREACH",
    );
  });
});

const countingRules = `
table inet counting {
  counter silent { }
  counter refused { }
  counter datagram { }
  counter echo { }
  counter open { }
  set sources { type ipv4_addr . inet_service; flags dynamic; size 100; }
  chain input {
    type filter hook input priority filter; policy accept;
    tcp flags & (syn | ack) == syn add @sources { ip saddr . tcp sport }
    tcp flags & (syn | ack) == syn tcp dport 22 counter name open
    tcp flags & (syn | ack) == syn tcp dport 7001 counter name refused
    tcp flags & (syn | ack) == syn tcp dport 7000 counter name silent drop
    udp dport 7002 counter name datagram
    icmp type echo-request meta length 105 counter name echo
    icmpv6 type echo-request meta length 125 counter name echo
  }
}
`;

async function countedPackets(host: LabHost): Promise<Record<string, number>> {
  const { stdout } = await host.run(["nft", "-j", "list", "counters"]);
  const listed: { nftables: { counter?: { name: string; packets: number } }[] } = JSON.parse(stdout);
  return Object.fromEntries(
    listed.nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])),
  );
}

function oneOf<T>([first]: readonly T[]): [T] {
  if (first === undefined) throw new Error("expected one");
  return [first];
}
