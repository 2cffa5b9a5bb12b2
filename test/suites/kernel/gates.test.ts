import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import type { Sender } from "../../../lab/packets";
import { tcp } from "./attempt";
import {
  doorPort,
  doorUdpPort,
  type Family,
  families,
  type GatedLab,
  type GateInput,
  loadPolicy,
  lookAt,
  openGatedLab,
  openPort,
  policyOf,
  silenceMs,
  waitForOpen,
} from "./gated-lab";
import { datagram, fromOther, type Move, play, syn } from "./moves";
import { askDatagram } from "./traffic";

const webPort = 4_443;
const ssh = gate("ssh", `${doorPort}`, tcp(7_000, 8_000, 9_000));

let gated: GatedLab;
beforeAll(async () => {
  gated = await openGatedLab(5);
});
afterAll(() => gated?.close());

describe.concurrent.each(families)("over %s", (family) => {
  // Nothing listens at the second gate's port: a refusal is the answer there.
  interface Twofold {
    readonly claim: string;
    readonly web: GateInput;
    readonly moves: readonly Move[];
    readonly open: readonly string[];
  }
  const web = gate("web", `${webPort}`, tcp(7_000, 8_000, 9_100));
  const cases: readonly Twofold[] = [
    {
      claim: "both stay closed while their knocks are still alike",
      web,
      moves: [syn(7_000), syn(8_000)],
      open: [],
    },
    {
      claim: "the knock of the first opens the first alone",
      web,
      moves: [syn(7_000), syn(8_000), syn(9_000)],
      open: ["ssh"],
    },
    {
      claim: "the knock of the second opens the second alone",
      web,
      moves: [syn(7_000), syn(8_000), syn(9_100)],
      open: ["web"],
    },
    {
      claim: "one knock after the other opens both",
      web,
      moves: [syn(7_000), syn(8_000), syn(9_100), syn(7_000), syn(8_000), syn(9_000)],
      open: ["ssh", "web"],
    },
    {
      claim: "one knock opens both where both have it",
      web: gate("web", `${webPort}`, tcp(7_000, 8_000, 9_000)),
      moves: [syn(7_000), syn(8_000), syn(9_000)],
      open: ["ssh", "web"],
    },
    {
      claim: "a knock that is the beginning of another's opens its gate alone",
      web: gate("web", `${webPort}`, tcp(7_000, 8_000)),
      moves: [syn(7_000), syn(8_000)],
      open: ["web"],
    },
    {
      claim: "a knock that the other's begins with opens both, step by step",
      web: gate("web", `${webPort}`, tcp(7_000, 8_000)),
      moves: [syn(7_000), syn(8_000), syn(9_000)],
      open: ["ssh", "web"],
    },
    {
      claim: "one packet is a last step here and a first step there",
      web: gate("web", `${webPort}`, tcp(9_000, 9_100)),
      moves: [syn(7_000), syn(8_000), syn(9_000), syn(9_100)],
      open: ["ssh", "web"],
    },
    {
      claim: "a step of one is a stray packet to a strict other",
      web: gate("web", `${webPort}`, tcp(1_111)),
      moves: [syn(7_000), syn(1_111), syn(8_000), syn(9_000)],
      open: ["web"],
    },
    {
      claim: "a strict gate's reset leaves the progress at another that is not strict",
      web: gate("web", `${webPort}`, tcp(7_000, 8_000, 9_100), { strict: false }),
      moves: [syn(7_000), syn(8_000), syn(1_234), syn(9_000), syn(9_100)],
      open: ["web"],
    },
    {
      claim: "an attempt at the other's protected port disturbs neither",
      web,
      moves: [syn(7_000), syn(webPort), syn(8_000), syn(doorPort), syn(9_100)],
      open: ["web"],
    },
  ];
  const titled = cases.map((each) => [each.claim, each] as const);
  test.for(titled)("of two gates %s", async ([, { web: second, moves, open }]) => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policyOf([ssh, second]));
      await play(moves, host[family], gated);
      const ports = { ssh: doorPort, web: webPort };
      const looks = (["ssh", "web"] as const).map(async (name) => {
        const look = open.includes(name) ? waitForOpen : lookAt;
        return [name, await look(gated.knocker, host[family], ports[name])];
      });
      const expected = ["ssh", "web"].map((name) => [name, open.includes(name) ? "open" : "closed"]);
      expect(await Promise.all(looks)).toEqual(expected);
    });
  });

  test("a gate before ranges of ports gates each of them, from the first to the last, and no other", async () => {
    await gated.withHost(async (host) => {
      const ranges = {
        ...ssh,
        protect: [{ tcp: "4100-4110" }, { tcp: "4105-4120" }, { tcp: `${doorPort}` }],
      };
      await loadPolicy(host, policyOf([ranges]));
      const [inside, outside] = [
        [4_100, 4_107, 4_110, 4_111, 4_120, doorPort],
        [4_099, 4_121, doorPort + 1, openPort],
      ];
      const see = () => lookAtAll(gated.knocker, host, family, [...inside, ...outside]);
      const closed = inside.map(() => "closed");
      const open = outside.map(() => "open");
      expect(await see()).toEqual([...closed, ...open]);
      await play([syn(7_000), syn(8_000), syn(9_000)], host[family], gated);
      expect(await see()).toEqual([...inside.map(() => "open"), ...open]);
    });
  });

  test("a gate before a UDP port lets datagrams in only after the knock", async () => {
    await gated.withHost(async (host) => {
      const udp: GateInput = { ...ssh, protect: [{ udp: `${doorUdpPort}` }, { udp: "5000-5010" }] };
      await loadPolicy(host, policyOf([udp]));
      const address = host[family];
      const ask = (port: number, waitMs: number) => askDatagram(address, port, waitMs);
      expect(await Promise.all([ask(doorUdpPort, silenceMs), ask(5_005, silenceMs)])).toEqual([
        "silent",
        "silent",
      ]);
      await play([syn(7_000), datagram(8_000), syn(9_000)], address, outsideKnocks);
      expect(await ask(doorUdpPort, silenceMs)).toBe("silent");
      await play([syn(7_000), syn(8_000), syn(9_000)], address, outsideKnocks);
      expect(await Promise.all([ask(doorUdpPort, 3_000), ask(5_005, 3_000)])).toEqual([
        "answered",
        "refused",
      ]);
      // For TCP the same number is another port, without a gate.
      expect(await lookAt("outside", address, 5_005)).toBe("open");
    });
  });

  test("a gate before TCP and UDP opens for both with one knock, and for its source alone", async () => {
    await gated.withHost(async (host) => {
      const both: GateInput = { ...ssh, protect: [{ tcp: `${doorPort}` }, { udp: `${doorUdpPort}` }] };
      await loadPolicy(host, policyOf([both]));
      const address = host[family];
      await play([syn(7_000), syn(8_000), syn(9_000)], address, gated);
      expect(await waitForOpen(gated.knocker, address, doorPort)).toBe("open");
      expect(await askDatagram(address, doorUdpPort, silenceMs)).toBe("silent");
      await play([syn(7_000), syn(8_000), syn(9_000)], address, outsideKnocks);
      expect(await waitForOpen("outside", address, doorPort)).toBe("open");
      expect(await askDatagram(address, doorUdpPort, 3_000)).toBe("answered");
    });
  });

  test("a source in allowFrom needs no knock, by prefix or by address, and all others do", async () => {
    await gated.withHost(async (host) => {
      const { knocker, other, lab } = gated;
      const network = knocker[family].replace(/2$/, family === "ipv4" ? "0/24" : "/64");
      const address = host[family];
      await loadPolicy(host, policyOf([ssh], [network, "203.0.113.0/24", "2001:db8::/32"]));
      const sources = [knocker, other, "outside"] as const;
      const see = () => Promise.all(sources.map((source) => lookAt(source, address, doorPort)));
      expect(await see()).toEqual(["open", "closed", "closed"]);
      await loadPolicy(host, policyOf([ssh], [network, other[family], lab.outside[family]]));
      expect(await see()).toEqual(["open", "open", "open"]);
    });
  });

  test("a source in allowFrom takes no steps, and disturbs nobody's", async () => {
    await gated.withHost(async (host) => {
      await loadPolicy(host, policyOf([ssh], [gated.other[family]]));
      const theirs = [syn(7_000), syn(8_000), syn(1_234)].map(fromOther);
      await play([syn(7_000), ...theirs, syn(8_000), ...theirs, syn(9_000)], host[family], gated);
      expect(await waitForOpen(gated.knocker, host[family], doorPort)).toBe("open");
      const { stdout } = await host.run(["nft", "list", "table", "inet", "knockgate_edge"]);
      const elements = stdout.match(/elements = .*/g) ?? [];
      expect(elements.join("\n")).not.toContain(gated.other[family]);
      expect(elements.join("\n")).toContain(gated.knocker[family]);
    });
  });
});

/** This process sends the datagrams, so it sends the knocks, too. */
const outsideKnocks = { knocker: "outside", other: "outside" } as const;

function gate(
  name: string,
  port: string,
  steps: GateInput["knock"]["steps"],
  more: Partial<GateInput["knock"]> = {},
): GateInput {
  return { name, protect: [{ tcp: port }], knock: { steps, ...more } };
}

function lookAtAll(from: Sender, host: LabHost, family: Family, ports: readonly number[]) {
  return Promise.all(ports.map((port) => lookAt(from, host[family], port)));
}
