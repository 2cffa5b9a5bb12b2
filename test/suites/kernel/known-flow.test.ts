import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { renderPolicy } from "../../../src/backends/render";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";
import { tcp } from "./attempt";
import {
  doorPort,
  doorUdpPort,
  families,
  type GatedLab,
  type GateInput,
  openGatedLab,
  openPort,
  runNft,
  silenceMs,
} from "./gated-lab";
import { backendOf, loadText, type Variant, variants } from "./model-machine";
import { play, syn } from "./moves";
import { answerTo } from "./raw-packet";
import { askDatagram, openDatagramSession, openSession, tryFromPort } from "./traffic";

const knock = [syn(7_000), syn(8_000), syn(9_000)];
const rotated = [syn(7_100), syn(9_100), syn(8_100)];
const outsideKnocks = { knocker: "outside", other: "outside" } as const;
const patienceMs = 3_000;

let gated: GatedLab;
beforeAll(async () => {
  gated = await openGatedLab(6);
});
afterAll(() => gated?.close());

/** The settings that decide where in a ruleset a packet is checked. */
const shapes: Readonly<Record<string, (ports: readonly number[]) => Partial<PolicyInput>>> = {
  "one gate": () => ({}),
  stealth: () => ({ stealth: true }),
  "prerouting, stealth": () => ({ scope: "prerouting", stealth: true }),
  prerouting: () => ({ scope: "prerouting" }),
  "many gates": (ports) => ({ gates: [doorGate(ports), ...others] }),
};
const others: readonly GateInput[] = [1, 2, 3, 4, 5, 6].map((index) => ({
  name: `g${index}`,
  protect: [{ tcp: `${5_000 + 10 * index}` }],
  knock: { steps: tcp(6_000 + index, 6_100 - 2 * index, 6_200 + index) },
}));

function doorGate(ports: readonly number[]): GateInput {
  const protect = [{ tcp: `${doorPort}` }, { udp: `${doorUdpPort}` }];
  return { name: "ssh", protect, knock: { steps: tcp(...ports) } };
}

async function load(
  host: LabHost,
  variant: Variant,
  ports: readonly number[],
  more: Partial<PolicyInput> = {},
): Promise<void> {
  const gates = [doorGate(ports)];
  const input: PolicyInput = { name: "edge", backend: backendOf(variant), gates, ...more };
  await loadText(host, variant, renderPolicy(readPolicy(input)));
}

/** Drops resets before conntrack sees them. */
const loseResets = `table inet lossy {
  chain in { type filter hook prerouting priority raw; policy accept;
    tcp flags & rst == rst drop
  }
  chain out { type filter hook output priority raw; policy accept;
    tcp flags & rst == rst drop
  }
}\n`;

let nextPort = 20_000;

describe.concurrent.each(families)("over %s", (family) => {
  describe.concurrent.each(variants)("by %s", (variant) => {
    test.for(Object.entries(shapes))(
      "a source port whose connection the host reset does not get in after the knock was rotated: %s",
      async ([, shape]) => {
        await gated.withHost(async (host) => {
          const address = host[family];
          const sourcePort = nextPort++;
          const before = [7_000, 8_000, 9_000];
          await load(host, variant, before, shape(before));
          await play(knock, address, outsideKnocks);
          const session = await openSession(address, doorPort, sourcePort);
          await session.provokeReset();
          // The door is closed again, but a conntrack entry of the connection is left, in the state CLOSE.
          const after = [7_100, 9_100, 8_100];
          for (const more of [{}, { denyFrom: [gated.lab.outside[family]] }]) {
            await load(host, variant, after, { ...shape(after), ...more });
            expect(await tryFromPort(address, doorPort, sourcePort, silenceMs)).toBe("silent");
          }
          await load(host, variant, after, shape(after));
          await play(rotated, address, outsideKnocks);
          expect(await tryFromPort(address, doorPort, sourcePort, patienceMs)).toBe("open");
        });
      },
    );

    test("a connection that the host forgot silently, but conntrack did not, does not get in", async () => {
      await gated.withHost(async (host) => {
        const address = host[family];
        const sourcePort = nextPort++;
        await load(host, variant, [7_000, 8_000, 9_000]);
        await play(knock, address, outsideKnocks);
        const session = await openSession(address, doorPort, sourcePort);
        await session.echo("here");
        await load(host, variant, [7_100, 9_100, 8_100]);
        // Conntrack sees neither end's reset.
        await runNft(host, loseResets);
        await session.forget();
        await runNft(host, "delete table inet lossy\n");
        expect(await tryFromPort(address, doorPort, sourcePort, silenceMs)).toBe("silent");
      });
    });

    test("a connection that the host begins from a gated port does not let its far end in", async () => {
      await gated.withHost(async (host) => {
        await load(host, variant, [7_000, 8_000, 9_000]);
        const packet = { from: gated.knocker, to: host, family, port: doorPort, flags: "SYN" } as const;
        // The far end must not answer the host's SYN: a reset would make conntrack forget it.
        await runNft(host, loseResets);
        const answer = await answerTo({ ...packet, isAnswer: true });
        await runNft(host, "delete table inet lossy\n");
        expect(answer).toBe("nothing");
      });
    });

    test.for(["plain", "stealth"] as const)(
      "a connection that a conntrack helper expects does not get in, TCP or UDP: %s",
      async (kind) => {
        await gated.withHost(async (host) => {
          const address = host[family];
          await load(host, variant, [7_000, 8_000, 9_000], { stealth: kind === "stealth" });
          const l3proto = family === "ipv4" ? "ip" : "ip6";
          // By nft(8), "CT HELPER" and "CT EXPECTATION". An echo server can be made to announce any port.
          await runNft(
            host,
            `table inet helping {
            ct helper ftp { type "ftp" protocol tcp; l3proto ${l3proto}; }
            ct expectation datagram { protocol udp; dport ${doorUdpPort}; timeout 60s; size 8; l3proto ${l3proto}; }
            counter expected_tcp { }
            counter expected_udp { }
            chain before { type filter hook prerouting priority -150; policy accept;
              tcp dport ${openPort} ct helper set "ftp"
              ct state related tcp dport ${doorPort} counter name expected_tcp
              ct state related udp dport ${doorUdpPort} counter name expected_udp
            }
            chain out { type filter hook output priority 0; policy accept;
              udp dport 9 ct expectation set "datagram"
            }
          }\n`,
          );
          try {
            const session = await openSession(address, openPort);
            await session.echo("220 a helper looks at lines behind the first\r\n");
            await session.echo(`229 Entering Extended Passive Mode (|||${doorPort}|)\r\n`);
            expect(await tryFromPort(address, doorPort, nextPort++, silenceMs)).toBe("silent");
            await host.run(["bash", "-c", `echo >/dev/udp/${gated.lab.outside[family]}/9`]);
            expect(await askDatagram(address, doorUdpPort, silenceMs)).toBe("silent");
            session.close();
            const { stdout } = await host.run(["nft", "list", "counters", "table", "inet", "helping"]);
            expect(stdout.match(/packets [1-9]/g), stdout).toHaveLength(2);
          } finally {
            await runNft(host, "delete table inet helping\n");
          }
        });
      },
    );

    test("a handshake that is under way when the door closes completes, and its session lives", async () => {
      await gated.withHost(async (host) => {
        const address = host[family];
        await load(host, variant, [7_000, 8_000, 9_000]);
        await play(knock, address, outsideKnocks);
        await runNft(
          host,
          `table inet lossy { chain out { type filter hook output priority 300; policy accept;
            tcp sport ${doorPort} tcp flags & (syn | ack) == syn | ack drop
          }\n}\n`,
        );
        const beginning = openSession(address, doorPort);
        const datagrams = await openDatagramSession(address, doorUdpPort);
        expect(await datagrams.ask(patienceMs)).toBe("answered");
        await sleep(100);
        // This load also removes the rule that dropped the first answer.
        await load(host, variant, [7_100, 9_100, 8_100]);
        const session = await beginning;
        await session.echo("still here");
        expect(await datagrams.ask(patienceMs)).toBe("answered");
        session.close();
        datagrams.close();
      });
    });

    test("a step counts although its source port belongs to a connection that was reset", async () => {
      await gated.withHost(async (host) => {
        const address = host[family];
        const sourcePort = nextPort++;
        await load(host, variant, [openPort, 8_000, 9_000]);
        const session = await openSession(address, openPort, sourcePort);
        await session.provokeReset();
        await play([syn(1_234)], address, outsideKnocks);
        expect(await tryFromPort(address, openPort, sourcePort, patienceMs)).toBe("open");
        await play([syn(8_000), syn(9_000)], address, outsideKnocks);
        expect(await tryFromPort(address, doorPort, nextPort++, patienceMs)).toBe("open");
      });
    });
  });
});
