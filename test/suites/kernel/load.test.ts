import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { withoutCounts } from "../../../lab/nft-listing";
import { tryConnect } from "../../../lab/packets";
import type { Load } from "../../../src/backends/backend";
import { planLoad } from "../../../src/backends/load";
import { renderPolicy } from "../../../src/backends/render";
import { describeLoaded } from "../../../src/host/loaded-text";
import { isUnchanged, type Observed } from "../../../src/host/observed";
import { observeHost } from "../../../src/host/script/observe";
import type { PolicyInput } from "../../../src/policy/policy";
import type { Program } from "../../../src/ssh/host";
import { readPolicy } from "../../unit/policy/read-policy";
import { writeProgram } from "../host/write-program";
import { tcp } from "./attempt";
import {
  doorPort,
  families,
  type GatedLab,
  type GateInput,
  gateBefore,
  loadPolicy,
  lookAt,
  openGatedLab,
  openPort,
  policyOf,
  runNft,
  waitForOpen,
} from "./gated-lab";
import { fromOther, play, syn } from "./moves";
import { openSession } from "./traffic";

const knock = [syn(7_000), syn(8_000), syn(9_000)];
const ssh = gateBefore(tcp(7_000, 8_000, 9_000));
const web: GateInput = {
  name: "web",
  protect: [{ tcp: "4443" }],
  knock: { steps: tcp(7_001, 8_001, 9_001) },
};
const more = (["mail", "wiki"] as const).map((name, index) => ({
  name,
  protect: [{ tcp: `${5_001 + index}` }],
  knock: { steps: tcp(7_101 + index, 8_101 + index, 9_101 + index) },
})) as [GateInput, GateInput];
const table = "inet knockgate_edge";

let gated: GatedLab;
/** A host on which no ruleset was ever loaded, so that its kernel tracks no connections. */
let fresh: LabHost;
beforeAll(async () => {
  gated = await openGatedLab(5);
  fresh = gated.keepHost();
});
afterAll(() => gated?.close());

test("the first load leaves sessions alone that conntrack has never seen, idle or not", async () => {
  const sessions = await Promise.all(
    families.flatMap((family) => [doorPort, openPort].map((port) => openSession(fresh[family], port))),
  );
  const tracked = ["cat", "/proc/sys/net/netfilter/nf_conntrack_count"];
  expect((await fresh.run(tracked)).stdout).toBe("0\n");
  await loadPolicy(fresh, policyOf([ssh]));
  for (const family of families) expect(await lookAt("outside", fresh[family], doorPort)).toBe("closed");
  for (const session of sessions) await session.echo("after the load");
  await loadPolicy(fresh, policyOf([ssh]));
  for (const session of sessions) await session.echo("after another load");
  for (const session of sessions) session.close();
});

describe.concurrent.each(families)("over %s", (family) => {
  test.for<readonly [string, readonly GateInput[], (readonly GateInput[])?]>([
    ["nothing", [ssh]],
    ["the steps' ports", [gateBefore(tcp(1_000, 2_000, 3_000))]],
    ["the number of steps", [gateBefore(tcp(7_000, 8_000))]],
    ["the times", [{ ...ssh, openForSeconds: 99, knock: { ...ssh.knock, stepTimeoutSeconds: 9 } }]],
    ["strictness", [{ ...ssh, knock: { ...ssh.knock, strict: false } }]],
    ["the gates, by one more", [ssh, web]],
    ["the gates, from two to three", [ssh, web, more[0]], [ssh, web]],
    ["the gates, from three to four", [ssh, web, ...more], [ssh, web, more[0]]],
    ["the gates, from four to two", [ssh, web], [ssh, web, ...more]],
  ])(
    "a load that changes %s refills: open doors stay open, except the deployer's",
    async ([, gates, had = [ssh]]) => {
      await gated.withHost(async (host) => {
        const address = host[family];
        const { knocker, other } = gated;
        await loadPolicy(host, policyOf(had));
        await play([...knock, ...knock.map(fromOther)], address, gated);
        expect(await waitForOpen(knocker, address, doorPort)).toBe("open");
        expect(await waitForOpen(other, address, doorPort)).toBe("open");
        expect((await loadNext(host, policyOf(gates), knocker[family])).kind).toBe("refill");
        expect(await waitForOpen(other, address, doorPort)).toBe("open");
        expect(await lookAt(knocker, address, doorPort)).toBe("closed");
        const ports = gates[0]?.knock.steps?.map((step) => syn(step.tcp ?? 0)) ?? [];
        await play(ports, address, gated);
        expect(await waitForOpen(knocker, address, doorPort)).toBe("open");
      });
    },
  );

  test("a refill also works when the deployer's door is not open", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policyOf([ssh]));
      expect((await loadNext(host, policyOf([ssh, web]), gated.other[family])).kind).toBe("refill");
      expect(await lookAt(gated.other, host[family], doorPort)).toBe("closed");
    });
  });

  test("a load that takes a gate away opens its ports to all, and leaves nothing of it", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([ssh, web]));
      expect(await lookAt(gated.knocker, address, 4_443)).toBe("closed");
      await play(knock, address, gated);
      expect((await loadNext(host, policyOf([ssh]), gated.other[family])).kind).toBe("refill");
      expect(await waitForOpen(gated.knocker, address, doorPort)).toBe("open");
      expect(await tryConnect(gated.other, address, 4_443, 3_000)).toBe("refused");
      // Sorted, because nft lists things in the order in which they were made.
      const listing = (await listTable(host)).split("\n").sort();
      expect(listing.join("\n")).not.toContain("web");
      await loadPolicy(host, policyOf([ssh]));
      expect((await listTable(host)).split("\n").sort()).toEqual(listing);
    });
  });

  test("a load that replaces closes all doors", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([ssh]));
      await runNft(host, `delete chain ${table} input\n`);
      await loadPolicy(host, policyOf([ssh]));
      await play(knock, address, gated);
      expect(await waitForOpen(gated.knocker, address, doorPort)).toBe("open");
      await runNft(
        host,
        `delete chain ${table} input
        table ${table} { chain input { type filter hook input priority 5; jump new_connections
        }
        }\n`,
      );
      expect((await loadNext(host, policyOf([ssh]), gated.other[family])).kind).toBe("replace");
      expect(await lookAt(gated.knocker, address, doorPort)).toBe("closed");
    });
  });

  test("progress does not outlive a refill: the whole knock must come after it", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      const alike = gateBefore(tcp(7_000, 7_000, 9_000));
      for (const gate of [ssh, alike]) {
        await loadPolicy(host, policyOf([gate]));
        const moves = (gate.knock.steps ?? []).map((step) => syn(step.tcp ?? 0));
        await play(moves.slice(0, -1), address, gated);
        expect((await loadNext(host, policyOf([gate]), gated.other[family])).kind).toBe("refill");
        await play(moves.slice(-1), address, gated);
        expect(await lookAt(gated.knocker, address, doorPort)).toBe("closed");
        await play(moves, address, gated);
        expect(await waitForOpen(gated.knocker, address, doorPort)).toBe("open");
      }
    });
  });

  test("a session of an open door outlives a refill and a replacement", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([ssh]));
      await play(knock, address, { knocker: "outside", other: "outside" });
      const session = await openSession(address, doorPort);
      await loadNext(host, policyOf([ssh, web]), gated.lab.outside[family]);
      await session.echo("after a refill");
      await loadPolicy(host, policyOf([ssh]));
      await session.echo("after a replacement");
      expect(await lookAt("outside", address, doorPort)).toBe("closed");
      session.close();
    });
  });
});

describe.concurrent("a host's table", () => {
  test("is listed the same before and after knocks", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policyOf([gateBefore(tcp(7_000, 7_000, 9_000))]));
      const see = async () => {
        // Other tables have counters, sockets change, and the clock goes on.
        const { tables, sockets, clock, ...rest } = await observe(host);
        return rest;
      };
      const before = await see();
      const moves = [syn(7_000), syn(7_000), syn(9_000), syn(7_000)];
      await play(moves, host.ipv4, gated);
      await play(moves, host.ipv6, gated);
      expect(await waitForOpen(gated.knocker, host.ipv6, doorPort)).toBe("open");
      expect(await see()).toEqual(before);
    });
  });

  test("that was changed from outside is shown as our own text with only that change", async () => {
    await gated.withHost(async (host) => {
      const policy = policyOf([ssh, web], ["192.0.2.0/24", "2001:db8::/32"]);
      const text = renderPolicy(readPolicy(policy));
      await loadPolicy(host, policy);
      const { loaded, ...rest } = await observe(host);
      const confirmed = { owner: "stack", text, listing: loaded?.listing ?? "" };
      const see = async () => ({ ...rest, confirmed, ...(await observe(host)) });
      expect(isUnchanged(await see())).toBe(true);
      expect(describeLoaded(await see())).toBe(text);

      await runNft(host, `insert rule ${table} ssh_door ip saddr 203.0.113.7 accept\n`);
      expect(isUnchanged(await see())).toBe(false);
      const chain = "\tchain ssh_door {\n";
      const inserted = text.replace(chain, `${chain}\t\tip saddr 203.0.113.7 accept\n`);
      expect(describeLoaded(await see())).toBe(inserted);

      await runNft(host, `flush chain ${table} web_door\n`);
      const flushed = inserted.replace(/(chain web_door \{\n)[^}]*/, "$1\t");
      expect(describeLoaded(await see())).toBe(flushed);

      await runNft(host, `delete table ${table}\n`);
      expect(describeLoaded(await see())).toBe("");
    });
  });

  test("that somebody added to is repaired, and other tables are left as they are", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policyOf([ssh]));
      const clean = await listTable(host);
      await runNft(
        host,
        `table ${table} {
          set theirs { type inet_service; flags interval; elements = { 1-9 }
          }
          chain theirs { tcp dport @theirs accept
          }
          chain theirs_too { type filter hook output priority 0; jump theirs
          }
        }
        insert rule ${table} new_connections jump theirs
        table inet foreign { chain input { type filter hook input priority 0; tcp dport @theirs accept
          }
          set theirs { type inet_service
          }
        }\n`,
      );
      const foreign = ["nft", "list", "table", "inet", "foreign"];
      const before = (await host.run(foreign)).stdout;
      expect(await listTable(host)).not.toBe(clean);
      expect((await loadNext(host, policyOf([ssh]), "127.0.0.1")).kind).toBe("refill");
      expect(await listTable(host)).toBe(clean);
      expect((await host.run(foreign)).stdout).toBe(before);
      await runNft(host, "delete table inet foreign\n");
    });
  });

  const base = "chain input { type filter hook input priority -10; }";
  test.each([
    [
      "a chain of ours was given a hook",
      `${base} chain new_connections { type filter hook input priority -300; }`,
    ],
    ["the base chain has another priority", "chain input { type filter hook input priority 7; }"],
    ["the base chain drops", "chain input { type filter hook input priority -10; policy drop; }"],
    [
      "a set of ours has another key",
      `${base} set ssh_open_v4 { type ipv6_addr; size 65536; flags timeout; }`,
    ],
    [
      "a set of ours is smaller",
      `${base} set ssh_open_v4 { type ipv4_addr; size 1; flags dynamic,timeout; }`,
    ],
    [
      "a set of ours forgets nothing",
      `${base} set ssh_open_v4 { type ipv4_addr; size 65536; flags dynamic; }`,
    ],
  ])("is repaired where %s", async (_, made) => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policyOf([ssh]));
      const clean = await listTable(host);
      // nft does not accept the text in one line: a closing brace needs a line of its own.
      await runNft(host, `delete table ${table}\ntable ${table} {\n${made.replaceAll("}", "\n}\n")}}\n`);
      await loadNext(host, policyOf([ssh]), "127.0.0.1");
      expect(await listTable(host)).toBe(clean);
    });
  });
});

/** Loads as a change does: looks at the host, plans, loads. */
async function loadNext(host: LabHost, policy: PolicyInput, clientAddress: string): Promise<Load> {
  const { loaded } = await observe(host);
  const load = planLoad(readPolicy(policy), loaded, clientAddress);
  await runNft(host, load.text);
  return load;
}

/** Runs the same program that looks at real hosts. */
function observe(host: LabHost): Promise<Observed> {
  const run = (program: Program) => {
    const shell = ["sh", "-s", "--", `${host.ipv4} 1 ${host.ipv4} 22`];
    return host.run(shell, { stdin: writeProgram(program), check: false });
  };
  return observeHost({ run, close: () => undefined }, readPolicy(policyOf([ssh])));
}

async function listTable(host: LabHost): Promise<string> {
  return withoutCounts((await host.run(["nft", "-s", "-t", "list", "table", ...table.split(" ")])).stdout);
}
