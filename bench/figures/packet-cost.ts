import { randomBytes } from "node:crypto";
import type { Bench, Figure, Goal, Outcome, Series } from "../figure";
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
} from "../hosts/rulesets";
import { measureRounds, nameAgain } from "../rounds";
import { formatNumber } from "../table";

const cost = "CPU per packet";
const rate = "packets per second";
const bare = "no firewall";
const tracking = "conntrack alone";
const strictByHand = "by hand, strict (nftables)";
const byHand: Readonly<Record<Loader, string>> = {
  nftables: "by hand, nftables",
  "iptables-nft": "by hand, recent (iptables-nft)",
  "iptables-legacy": "by hand, recent (iptables-legacy)",
};
const counts = [1, 10, 100] as const;
/** How many tokens the host holds of each user: about as many as by default, 7 days of minutes. */
const tokensEach = 10_000;
/** What tokens are compared with: a sequence. */
const today = "nftables";
const tokens = { 1: "nftables, tokens of 1 user", 100: "nftables, tokens of 100 users" } as const;
const traffic: Readonly<Record<TrafficKind, { readonly name: string; readonly milliseconds: number }>> = {
  established: { name: "established traffic", milliseconds: 50 },
  unrelated: { name: "unrelated traffic", milliseconds: 50 },
  unrelatedTcp: { name: "unrelated TCP", milliseconds: 50 },
  flood1: { name: "flood of first steps from 1 source", milliseconds: 50 },
  flood100000: { name: "flood of first steps from 100,000 sources", milliseconds: 150 },
  wrongTokens: { name: "wrong tokens", milliseconds: 50 },
};
/** Packets that are none of a gate's. */
const unrelatedKinds = ["established", "unrelated", "unrelatedTcp"] as const;

const looksUp =
  "a strict knock has to look up the source of each new packet, which the recipes by hand do not: with them a sweep of ports walks in; " +
  `“${strictByHand}” is what people would write who want it, too`;
const looksForToken =
  "the gate's own port: each datagram's 16 bytes are looked up among all tokens, which no cache of the processor holds";
const portsByRule =
  "iptables has no sets of ports: a rule compares a packet's with fifteen, so that a SYN meets one rule for each fifteen protected " +
  "ports and one for each fifteen first steps";

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
    `Wrong tokens are datagrams of 16 random bytes to the port of a gate with tokens, of which the host holds ${formatNumber(tokensEach)} for each user; a program gets them, too. ` +
    "“Conntrack alone” tracks connections and filters none of these packets. By hand there " +
    "are no strictness, no limit of first steps and no IPv6; by hand and strict, one rule more for each step puts a source back to the start " +
    "whose packet is not the next step.",
  references: [bare, tracking, ...Object.values(byHand), strictByHand],
  ours: [...loaders, ...Object.values(tokens)],
  rounds: { quick: 8, full: 20 },
  goals: listGoals(),
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

function listGoals(): readonly Goal[] {
  const place = (kind: TrafficKind, count: number, subject: string) => {
    return { quantity: cost, scenario: nameScenario(kind, count), subject };
  };
  const ofTokens = Object.values(tokens).flatMap((subject) =>
    ([...unrelatedKinds, "wrongTokens"] as const).map((kind) => ({
      claim: `${subject}: ${traffic[kind].name}, against a sequence`,
      of: place(kind, 1, subject),
      to: place(kind, 1, today),
      atMost: 1.03,
      ...(kind === "wrongTokens" ? { why: looksForToken } : {}),
    })),
  );
  const ofSequences = loaders.flatMap((loader) => [
    ...unrelatedKinds.flatMap((kind) => [
      ...counts.map((count) => ({
        claim: `${loader}: ${nameScenario(kind, count)}, against the same by hand`,
        of: place(kind, count, loader),
        to: place(kind, count, byHand[loader]),
        atMost: 1.03,
        ...(kind === "established" ? {} : { why: looksUp }),
      })),
      {
        claim: `${loader}: ${traffic[kind].name}, 100 gates against 1: flat`,
        of: place(kind, 100, loader),
        to: place(kind, 1, loader),
        atMost: 1.1,
        ...(loader !== "nftables" && kind === "unrelatedTcp" ? { why: portsByRule } : {}),
      },
    ]),
    {
      claim: `${loader}: established traffic, against no firewall`,
      of: place("established", 1, loader),
      to: place("established", 1, bare),
      atMost: 1.1,
      why: `see what “${tracking}” takes: any ruleset that knows established connections takes at least that`,
    },
  ]);
  return [...ofSequences, ...ofTokens];
}

function nameScenario(kind: TrafficKind, count: number): string {
  return `${traffic[kind].name}, ${count} gate${count === 1 ? "" : "s"}`;
}

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
    const host = await openPacketHost(`packet${hosts.length}`, shapeGates(1)[0]?.steps[0] ?? 0);
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
      const text = loader === "nftables" ? writeNftables(gates) : writeRecent(gates);
      await load(byHand[loader], count, loader, text);
    }
    if (count === 1) await load(strictByHand, count, "nftables", writeStrictNftables(gates));
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
