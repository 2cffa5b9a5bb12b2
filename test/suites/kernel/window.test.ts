import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { tcp } from "./attempt";
import {
  doorPort,
  doorUdpPort,
  families,
  type GatedLab,
  gateBefore,
  loadPolicy,
  lookAt,
  openGatedLab,
  openPort,
  openUdpPort,
  policyOf,
  silenceMs,
  waitForOpen,
} from "./gated-lab";
import { play, syn } from "./moves";
import { askDatagram, openDatagramSession, openSession } from "./traffic";

const knock = [syn(7_000), syn(8_000), syn(9_000)];
const gate = {
  ...gateBefore(tcp(7_000, 8_000, 9_000)),
  protect: [{ tcp: `${doorPort}` }, { udp: `${doorUdpPort}` }],
};
const brief = { ...gate, openForSeconds: 2 };
const outsideKnocks = { knocker: "outside", other: "outside" } as const;

let gated: GatedLab;
beforeAll(async () => {
  gated = await openGatedLab(5);
});
afterAll(() => gated?.close());

describe.concurrent.each(families)("over %s a door", (family) => {
  test("closes after its time for new connections, while established ones go on, and opens again", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([brief]));
      await play(knock, address, outsideKnocks);
      const session = await openSession(address, doorPort);
      const datagrams = await openDatagramSession(address, doorUdpPort);
      expect(await datagrams.ask(3_000)).toBe("answered");
      await sleep(2_800);
      expect(await lookAt("outside", address, doorPort)).toBe("closed");
      expect(await askDatagram(address, doorUdpPort, silenceMs)).toBe("silent");
      await session.echo("still here");
      expect(await datagrams.ask(3_000)).toBe("answered");
      await play(knock, address, outsideKnocks);
      expect(await waitForOpen("outside", address, doorPort)).toBe("open");
      session.close();
      datagrams.close();
    });
  });

  test("stays open as long again after another knock", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([brief]));
      await play(knock, address, gated);
      await sleep(1_300);
      await play(knock, address, gated);
      await sleep(1_300);
      expect(await waitForOpen(gated.knocker, address, doorPort)).toBe("open");
    });
  });

  test("does not stay open longer because it is used", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([brief]));
      await play(knock, address, gated);
      await sleep(1_300);
      expect(await waitForOpen(gated.knocker, address, doorPort)).toBe("open");
      await sleep(1_500);
      expect(await lookAt(gated.knocker, address, doorPort)).toBe("closed");
    });
  });

  test("does not stay open longer because its last step comes again", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([brief]));
      await play(knock, address, gated);
      await sleep(1_300);
      await play(knock.slice(-1), address, gated);
      await sleep(1_500);
      expect(await lookAt(gated.knocker, address, doorPort)).toBe("closed");
    });
  });

  test.each([
    ["three steps", [7_000, 8_000, 9_000]],
    ["a last step that is like the first", [7_000, 8_000, 7_000]],
    ["three steps alike", [7_000, 7_000, 7_000]],
    ["one step", [7_000]],
  ])("leaves no progress behind when it opens after %s: its last packet begins nothing", async (_, ports) => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policyOf([{ ...gate, knock: { steps: tcp(...ports) } }]));
      await play(
        ports.map((port) => syn(port)),
        host[family],
        gated,
      );
      expect(await listPlaces(host, gated.knocker[family])).toEqual([`ssh_open_${family.replace("ip", "")}`]);
    });
  });

  test("stays closed to a source that takes no step because too many sources are mid-knock", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, { ...policyOf([gate]), limits: { sources: 16 } });
      const set = `inet knockgate_edge mid_knock1_${family.replace("ip", "")}`;
      const others = Array.from({ length: 32 }, (_, index) =>
        family === "ipv4" ? `198.51.100.${index + 1}` : `2001:db8::${index + 1}`,
      );
      const elements = others.map((source) => `${source} timeout 60s`).join(", ");
      await host.run(["nft", "-f", "-"], { stdin: `add element ${set} { ${elements} }\n` });
      await play(knock.slice(0, 1), host[family], gated);
      expect(await listPlaces(host, gated.knocker[family])).toEqual([]);
      await play(knock, host[family], gated);
      expect(await lookAt(gated.knocker, host[family], doorPort)).toBe("closed");
      await host.run(["nft", "flush", "set", ...set.split(" ")]);
      await play(knock, host[family], gated);
      expect(await waitForOpen(gated.knocker, host[family], doorPort)).toBe("open");
    });
  });

  test("stays open when its source then sends what would reset a knock", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([gate]));
      await play([...knock, syn(1_234), syn(8_000), syn(7_000)], address, gated);
      expect(await waitForOpen(gated.knocker, address, doorPort)).toBe("open");
    });
  });

  test("opens although traffic of established connections comes between the steps", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([gate]));
      const session = await openSession(address, openPort);
      const datagrams = await openDatagramSession(address, openUdpPort);
      expect(await datagrams.ask(3_000)).toBe("answered");
      for (const step of knock) {
        await session.echo("between the steps");
        expect(await datagrams.ask(3_000)).toBe("answered");
        await play([step], address, outsideKnocks);
      }
      expect(await waitForOpen("outside", address, doorPort)).toBe("open");
      session.close();
      datagrams.close();
    });
  });

  test("opens although an established connection ends between the steps", async () => {
    await gated.withHost(async (host) => {
      const address = host[family];
      await loadPolicy(host, policyOf([gate]));
      const sessions = await Promise.all([openSession(address, openPort), openSession(address, openPort)]);
      for (const [index, step] of knock.entries()) {
        await play([step], address, outsideKnocks);
        sessions[index]?.close();
      }
      expect(await waitForOpen("outside", address, doorPort)).toBe("open");
    });
  });
});

/**
 * The sets that hold a source as a step's progress or an open door. Leaves out sets of a source's packets, and the set
 * that remembers for some time that a source is mid-knock.
 */
async function listPlaces(host: LabHost, source: string): Promise<readonly (string | undefined)[]> {
  const { stdout } = await host.run(["nft", "list", "table", "inet", "knockgate_edge"]);
  const sets = [...stdout.matchAll(/set (\S+) \{[^}]*elements = \{([^}]*)\}/g)];
  const places = sets.filter(([, , elements]) => elements?.includes(`${source} timeout`));
  return places.map(([, name]) => name).filter((name) => !name?.startsWith("mid_knock"));
}
