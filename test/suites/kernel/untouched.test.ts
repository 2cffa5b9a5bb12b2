import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import type { LabMachine } from "../../../lab/machine";
import { tryConnect } from "../../../lab/packets";
import { tcp } from "./attempt";
import {
  doorPort,
  families,
  type GatedLab,
  gateBefore,
  loadPolicy,
  lookAt,
  openGatedLab,
  openPort,
  openUdpPort,
  policyOf,
  runNft,
  waitForOpen,
} from "./gated-lab";
import { play, syn } from "./moves";
import { answerTo, canSendRawPackets } from "./raw-packet";
import { askDatagram } from "./traffic";

const knock = [syn(7_000), syn(8_000), syn(9_000)];
const policy = policyOf([gateBefore(tcp(7_000, 8_000, 9_000))]);
const withoutGate = "add table inet knockgate_edge\ndelete table inet knockgate_edge\n";
const patienceMs = 3_000;

const hasPerl = canSendRawPackets();
if (!hasPerl) console.warn("skipped: packets that no socket sends, because there is no perl to craft them");
const canRunRaw = hasPerl || process.env["CI"] !== undefined;

let gated: GatedLab;
beforeAll(async () => {
  gated = await openGatedLab(4);
});
afterAll(() => gated?.close());

describe.concurrent.each(families)("over %s", (family) => {
  test("the host reaches its own services, protected or not, by loopback and by its address", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policy);
      const itself = family === "ipv4" ? "127.0.0.1" : "::1";
      for (const address of [itself, host[family]]) {
        expect(await tryConnect(host, address, doorPort, patienceMs)).toBe("open");
        expect(await tryConnect(host, address, openPort, patienceMs)).toBe("open");
      }
    });
  });

  test("connections that the host begins pass, and so do their answers", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policy);
      // Another host's sshd answers from its own port 22 in any case, whether that host is gated or not.
      const target = gated.lab.hosts.find(({ name }) => name !== host.name);
      expect(await tryConnect(host, target?.[family] ?? "", 22, patienceMs)).toBe("open");
    });
  });

  test("ports that no gate protects answer before, during and after a knock", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policy);
      const address = host[family];
      for (const step of knock) {
        expect(await tryConnect(gated.other, address, openPort, patienceMs)).toBe("open");
        expect(await askDatagram(address, openUdpPort, patienceMs)).toBe("answered");
        await play([step], address, gated);
      }
      expect(await tryConnect(gated.knocker, address, openPort, patienceMs)).toBe("open");
    });
  });

  test("a step's port answers as its neighbours do, whether its packet counts or not", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policyOf([gateBefore([{ tcp: 7_000 }, { udp: 8_000 }, { tcp: 9_000 }])]));
      const address = host[family];
      const tries = [];
      for (const port of [6_999, 7_000, 7_001, 9_000, 7_000, 8_000]) {
        tries.push(await tryConnect("outside", address, port, patienceMs));
      }
      expect(tries).toEqual(tries.map(() => "refused"));
      expect(await tryConnect("outside", address, 7_000, patienceMs)).toBe("refused");
      expect(await askDatagram(address, 8_000, patienceMs)).toBe("refused");
      expect(await tryConnect("outside", address, 9_000, patienceMs)).toBe("refused");
      // The door is open, so these packets were all steps of the knock.
      expect(await tryConnect("outside", address, doorPort, patienceMs)).toBe("open");
      expect(await askDatagram(address, 7_999, patienceMs)).toBe("refused");
    });
  });

  test("pings are answered, at a closed and at an open door", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policy);
      expect(await ping(gated.knocker, host[family])).toBe(0);
      await play(knock, host[family], gated);
      expect(await ping(gated.knocker, host[family])).toBe(0);
    });
  });

  test("neighbours find each other again when both have forgotten the other", async () => {
    await gated.withHost(async (host) => {
      const link = `direct-${family}`;
      await linkDirectly(gated.knocker, host, link);
      await loadPolicy(host, policy);
      const address = family === "ipv4" ? "192.0.2.2" : "2001:db8::2";
      for (const machine of [host, gated.knocker]) {
        await runIp(machine, [family === "ipv4" ? "-4" : "-6", "neigh", "flush", "dev", link]);
      }
      expect(await tryConnect(gated.knocker, address, openPort, patienceMs)).toBe("open");
      expect(await lookAt(gated.knocker, address, doorPort)).toBe("closed");
      await runIp(gated.knocker, ["link", "delete", link]);
    });
  });

  describe.runIf(canRunRaw)("a packet that no socket sends", () => {
    const raw = { family, port: doorPort } as const;

    test("gets a reset, as without a gate, when it is an ACK of no connection", async () => {
      await gated.withHost(async (host) => {
        const packet = { ...raw, from: gated.knocker, to: host, flags: "ACK" } as const;
        await runNft(host, withoutGate);
        expect(await answerTo(packet)).toBe("reset");
        await loadPolicy(host, policy);
        expect(await answerTo(packet)).toBe("reset");
      });
    });

    // Without conntrack's defragmentation a SYN in IPv6 fragments reaches the input hook in pieces.
    test.each([
      ["whole", undefined],
      ["in two fragments, the header in the first", 24],
      ["in two fragments, the header in both", 8],
    ])("gets no answer at a closed door when it is a SYN, %s", async (_, firstFragmentBytes) => {
      const fragments = firstFragmentBytes === undefined ? {} : { firstFragmentBytes };
      await gated.withHost(async (host) => {
        const packet = { ...raw, ...fragments, from: gated.knocker, to: host, flags: "SYN" } as const;
        await runNft(host, withoutGate);
        // The kernel does not reassemble such small IPv6 fragments (RFC 8200, 4.5).
        const isRefusedAnyway = family === "ipv6" && firstFragmentBytes === 8;
        const answer = isRefusedAnyway ? "nothing" : "accepted";
        expect(await answerTo(packet)).toBe(answer);
        await loadPolicy(host, policy);
        expect(await answerTo(packet)).toBe("nothing");
        await play(knock, host[family], gated);
        expect(await waitForOpen(gated.knocker, host[family], doorPort)).toBe("open");
        expect(await answerTo(packet)).toBe(answer);
      });
    });
  });
});

async function ping(from: LabMachine, address: string): Promise<number> {
  const version = address.includes(":") ? "-6" : "-4";
  const argv = ["busybox", "ping", version, "-c", "1", "-W", "3", address];
  return (await from.run(argv, { check: false })).code;
}

/** A link without a router, on which the two must find each other's link-layer address themselves. */
async function linkDirectly(client: LabMachine, host: LabHost, link: string): Promise<void> {
  const peer = ["type", "veth", "peer", "name", link, "netns", String(host.pid)];
  await runIp(client, ["link", "add", link, ...peer]);
  for (const [index, machine] of [client, host].entries()) {
    const address = link.endsWith("ipv4")
      ? [`192.0.2.${index + 1}/24`]
      : [`2001:db8::${index + 1}/64`, "nodad"];
    await runIp(machine, ["address", "add", "dev", link, ...address]);
    await runIp(machine, ["link", "set", link, "up"]);
  }
}

/** With the outside's /proc, in which the namespaces of other machines have a path. */
async function runIp(machine: LabMachine, argv: readonly string[]): Promise<void> {
  await runCommand(["nsenter", "--target", String(machine.pid), "--net", "--", "ip", ...argv]);
}
