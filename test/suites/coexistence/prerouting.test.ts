import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { LabMachine } from "../../../lab/machine";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import type { Policy } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";
import { claimHost, deployTo, waitUntil } from "../host/deployment";
import { container, publishedPort, startContainer } from "./container";
import { listForeign } from "./foreign";

const steps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const families = ["ipv4", "ipv6"] as const;
const silenceMs = 900;
const patienceMs = 3_000;

let lab: Lab;
let client: LabMachine;
let neighbour: LabMachine;
beforeAll(async () => {
  lab = await openLab({ hosts: 6, clients: 2 });
  const [first, second] = lab.clients;
  if (first === undefined || second === undefined) throw new Error("expected two clients");
  [client, neighbour] = [first, second];
});
afterAll(() => lab?.close());

describe.each(["nftables", "iptables"] as const)(
  "a port that a container engine publishes is, with %s,",
  (backend) => {
    const gate = (scope: Policy["scope"]): Policy =>
      readPolicy({
        name: "edge",
        backend,
        scope,
        gates: [{ name: "web", protect: [{ tcp: `${publishedPort}` }], knock: { steps } }],
      });
    const request = (scope: Policy["scope"]) => ({ policy: gate(scope), owner: "me", undoAfterSeconds: 60 });

    test("behind the gate with the scope prerouting, over IPv4 and over IPv6", async () => {
      const host = await claimEngine();
      const before = await listForeign(host);
      for (const family of families) expect(await lookAtPublished(host, family)).toBe("open");
      await changeHost(request("prerouting"), await deployTo(lab, host));
      expect(await listForeign(host)).toBe(before);
      for (const family of families) {
        expect(await lookAtPublished(host, family)).toBe("silent");
        await sendKnock(client, { to: host[family], steps });
        expect(await lookAtPublished(host, family)).toBe("open");
        expect(await tryConnect(neighbour, host[family], publishedPort, silenceMs)).toBe("silent");
      }
      await removeFromHost(gate("prerouting"), "me", await deployTo(lab, host));
      expect(await listForeign(host)).toBe(before);
      expect(await tryConnect(neighbour, host.ipv4, publishedPort, patienceMs)).toBe("open");
    });

    test("not behind it with the scope input: the change says so and is undone", async () => {
      const host = await claimEngine();
      const before = await listForeign(host);
      await expect(changeHost(request("input"), await deployTo(lab, host))).rejects.toMatchObject({
        code: "NOT_CONFIRMED",
        message: expect.stringContaining(`TCP port ${publishedPort} of gate web answers before the knock`),
      });
      expect(await listForeign(host)).toBe(before);
    });

    test("not gated in traffic that the host forwards to others, which is not a knock either", async () => {
      const host = await claimEngine();
      const link = `wire-${backend}`.slice(0, 15);
      await routeThrough(client, host, link);
      // This rule marks what is forwarded, as for policy routing. It must see the packets after our chains, too.
      await host.run([
        "iptables",
        "-t",
        "mangle",
        "-A",
        "PREROUTING",
        "-i",
        link,
        "-j",
        "MARK",
        "--set-mark",
        "7",
      ]);
      const marked = [
        "meta mark 7 ip daddr 172.30.0.2 tcp dport 8080 tcp flags & (syn | ack) == syn counter",
      ];
      await host.run(["nft", "-f", "-"], {
        stdin: `table inet witness {
        chain forward { type filter hook forward priority filter; policy accept; ${marked} comment "marked"; }
      }\n`,
      });
      const passes = async () => {
        for (const family of families) {
          for (const port of [80, publishedPort]) {
            expect(await tryConnect(client, container[family], port, patienceMs)).toBe("open");
          }
        }
      };
      await passes();
      await changeHost(request("prerouting"), await deployTo(lab, host));
      await passes();
      expect(await countMarked(host)).toBe(2);
      for (const family of families) {
        await sendKnock(client, { to: container[family], steps });
        expect(await lookAtPublished(host, family)).toBe("silent");
      }
      await passes();
    });
  },
);

async function claimEngine(): Promise<LabHost> {
  const host = claimHost(lab);
  await startContainer(host);
  await waitUntil("the container's server", 10_000, async () => {
    const answers = families.map((family) => tryConnect(host, container[family], publishedPort, 300));
    return (await Promise.all(answers.map((answer) => answer.catch(() => "silent")))).every(
      (it) => it === "open",
    );
  });
  return host;
}

function lookAtPublished(host: LabHost, family: (typeof families)[number]): Promise<string> {
  return tryConnect(client, host[family], publishedPort, silenceMs);
}

async function countMarked(host: LabHost): Promise<number> {
  return Number(/counter packets (\d+) .*"marked"/.exec(await host.ruleset())?.[1]);
}

/** A link between a machine and a host, and a route over it to what is behind the host. */
async function routeThrough(machine: LabMachine, host: LabHost, link: string): Promise<void> {
  // With the outside's /proc, in which the other machine's namespace has a path.
  const enter = ["nsenter", "--target", String(machine.pid), "--net", "--"];
  const peer = ["type", "veth", "peer", "name", link, "netns", String(host.pid)];
  await runCommand([...enter, "ip", "link", "add", link, ...peer]);
  const network = link.endsWith("nftables") ? 1 : 2;
  for (const [index, each] of [host, machine].entries()) {
    await each.run(["ip", "address", "add", `192.0.${network}.${index + 1}/24`, "dev", link]);
    await each.run(["ip", "address", "add", `fd31:${network}::${index + 1}/64`, "dev", link, "nodad"]);
    await each.run(["ip", "link", "set", link, "up"]);
  }
  await machine.run(["ip", "route", "replace", `${container.ipv4}/32`, "via", `192.0.${network}.1`]);
  await machine.run(["ip", "-6", "route", "replace", `${container.ipv6}/128`, "via", `fd31:${network}::1`]);
}
