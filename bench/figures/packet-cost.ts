import { randomBytes } from "node:crypto";
import type { Bench, Figure, Outcome, Series } from "../figure";
import { loadRuleset } from "../hosts/load-ruleset";
import { loadTokens } from "../hosts/load-tokens";
import { openPacketHost, type PacketHost, type TrafficKind, trafficKinds } from "../hosts/packet-host";
import {
  type Loader,
  loaders,
  renderOurs,
  shapeGates,
  shapeTokenPolicy,
  writeNftables,
  writeRecent,
  writeStrictNftables,
  writeStrictRecent,
} from "../hosts/rulesets";
import { measureRounds, nameAgain } from "../rounds";
import { formatNumber } from "../table";
import {
  bare,
  byHand,
  cost,
  counts,
  listPacketGoals,
  nameScenario,
  strictByHand,
  today,
  tokens,
  tracking,
  traffic,
  unrelatedKinds,
} from "./packet-goals";

const rate = "packets per second";
/** How many tokens the host holds of each user: about as many as by default, 7 days of minutes. */
const tokensEach = 10_000;

/** What each packet costs the host's processor. */
export const packetCost: Figure = {
  name: "packet-cost",
  title: "The cost of a packet",
  method:
    "Each subject is a network namespace of its own. Packets are written to a TUN device there, which takes each through the whole receive path on " +
    "the writer's own processor time. The same packets with a wrong IP checksum, which the kernel throws away before any hook, go in turns with " +
    "them, and what they cost is taken off: what is left is the host's stack, the firewall, and, for established and unrelated traffic, the read(2) of the program on the " +
    "host that gets the payload. Packets per second are those of one processor that does nothing else, with what the pump itself takes. Established traffic is one TCP " +
    "connection with segments of 100 bytes to a port that is not gated; unrelated traffic is UDP of 4,096 flows to a port that is not gated and never answers, so that " +
    "none of it is ever established; unrelated TCP is SYNs from 4,096 sources to a port that is not gated, each answered by a reset. The floods are SYNs to the first step of the first gate, each answered by a reset. Each gate has three steps. " +
    "Packets of sources in mid-sequence come from 10,000 sources, each of which has just taken the first step: it takes the second one, and sends a SYN to a port that is none of a " +
    "gate's, which puts it back to the start. " +
    `Wrong tokens are datagrams of 16 random bytes to the port of a gate with tokens, of which the host holds ${formatNumber(tokensEach)} for each user; a program gets them, too. ` +
    "“Conntrack alone” tracks connections and filters none of these packets. By hand there " +
    "are no strictness, no limit of first steps and no IPv6; by hand and strict, one rule more for each step puts a source back to the start " +
    "whose packet is not the next step.",
  references: [bare, tracking, ...Object.values(byHand), ...Object.values(strictByHand)],
  ours: [...loaders, ...Object.values(tokens)],
  rounds: { quick: 6, full: 6 },
  goals: listPacketGoals(),
  charts: trafficKinds
    .filter((kind) => kind !== "wrongTokens")
    .map((kind) => ({
      quantity: cost,
      title: `CPU per packet: ${traffic[kind].name}`,
      scenarios: counts.map((count) => nameScenario(kind, count)),
      isLogarithmic: kind !== "established",
    })),
  run,
};

/** No packet of the traffic meets this rule, but it makes the kernel track all packets. */
const trackingAlone = `table inet tracking {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established counter
  }
}\n`;

interface Gated {
  readonly subject: string;
  /** Undefined: no gate. */
  readonly count?: number;
  readonly kinds: readonly TrafficKind[];
  readonly host: PacketHost;
}

async function run({ rounds, isQuick, say }: Bench): Promise<Outcome> {
  const used = isQuick ? counts.filter((count) => count !== 10) : counts;
  const hosts: Gated[] = [];
  try {
    await openAll(used, hosts);
    say(`${hosts.length} hosts are ready`);
    const series: Series[] = [];
    const share = isQuick ? 0.4 : 1;
    for (const kind of trafficKinds) {
      const subjects = hosts.flatMap(({ host, kinds }, index) => {
        if (!kinds.includes(kind)) return [];
        return [{ name: `${index}`, measure: () => host.pump(kind, share * traffic[kind].milliseconds) }];
      });
      const measured = await measureRounds(subjects, {
        quantities: [
          { name: cost, unit: "ns" },
          { name: rate, unit: "/s", isMoreBetter: true },
        ],
        scenario: "",
        rounds,
      });
      const gates = kind === "wrongTokens" ? [1] : used;
      series.push(...gates.flatMap((count) => placeSeries(measured, hosts, kind, count)));
      say(traffic[kind].name);
    }
    return { series };
  } finally {
    await Promise.all(hosts.map(({ host }) => host.close()));
  }
}

/** Fills the list one by one, so that after a failure all open hosts are in it. */
async function openAll(used: readonly number[], hosts: Gated[]): Promise<void> {
  const open = async (subject: string, kinds: readonly TrafficKind[], count?: number) => {
    const host = await openPacketHost(`packet${hosts.length}`, shapeGates(1)[0]?.steps ?? []);
    hosts.push({ subject, kinds, host, ...(count === undefined ? {} : { count }) });
    return host.machine;
  };
  const load = async (subject: string, count: number | undefined, loader: Loader, text: string) => {
    const isToday = count === 1 && [today, nameAgain(today)].includes(subject);
    const kinds = trafficKinds.filter((kind) => kind !== "wrongTokens" || isToday);
    await loadRuleset(await open(subject, kinds, count), loader, text);
  };
  await open(bare, trafficKinds);
  await load(tracking, undefined, "nftables", trackingAlone);
  for (const count of used) {
    const gates = shapeGates(count);
    for (const loader of loaders) {
      await load(loader, count, loader, renderOurs(loader, gates));
      const [plain, strict] =
        loader === "nftables" ? [writeNftables, writeStrictNftables] : [writeRecent, writeStrictRecent];
      await load(byHand[loader], count, loader, plain(gates));
      if (count === 1) await load(strictByHand[loader], count, loader, strict(gates));
    }
    // The same ruleset on another host: the difference between the two is noise.
    await load(nameAgain(today), count, "nftables", renderOurs("nftables", gates));
  }
  for (const [users, subject] of Object.entries(tokens)) {
    const machine = await open(subject, [...unrelatedKinds, "wrongTokens"], 1);
    await loadTokens(machine, shapeTokenPolicy(Number(users)), listRandomTokens);
  }
}

/** No packet opens. */
function listRandomTokens(): readonly string[] {
  return Array.from({ length: tokensEach }, () => randomBytes(16).toString("hex"));
}

/** The series for one number of gates. Hosts without a gate belong to each number. */
function placeSeries(
  measured: readonly Series[],
  hosts: readonly Gated[],
  kind: TrafficKind,
  count: number,
): readonly Series[] {
  return measured.flatMap((one) => {
    const gated = hosts[Number(one.subject)];
    if (gated === undefined || (gated.count !== undefined && gated.count !== count)) return [];
    return [{ ...one, scenario: nameScenario(kind, count), subject: gated.subject }];
  });
}
