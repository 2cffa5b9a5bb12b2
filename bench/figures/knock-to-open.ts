import { locateLetmein } from "../../tools/setup/letmein-place.mjs";
import { firstLine } from "../facts";
import type { Bench, Figure, Goal, Outcome } from "../figure";
import { type BenchHost, openBenchHosts } from "../hosts/bench-hosts";
import { configureFwknop, makeFwknopKeys, startFwknopd } from "../hosts/fwknop";
import { startKnockd } from "../hosts/knockd";
import { makeLetmeinKey, makeLetmeinKnock, startLetmeind } from "../hosts/letmein";
import { loadRuleset } from "../hosts/load-ruleset";
import { type KnockStep, startProber } from "../hosts/prober";
import { loaders, renderOurs, shapeGates, writeNftables, writeRecent } from "../hosts/rulesets";
import { measureRounds, type Subject } from "../rounds";

const quantity = "last step to first connection";
const byHand = {
  nftables: "by hand, nftables",
  "iptables-nft": "by hand, recent (iptables-nft)",
  "iptables-legacy": "by hand, recent (iptables-legacy)",
} as const;
const place = (subject: string) => ({ quantity, scenario: "", subject });

/** How long a door takes to open once the knock is complete. */
export const knockToOpen: Figure = {
  name: "knock-to-open",
  title: "From the last step to the open door",
  method:
    "Hosts are network namespaces, each with a link of its own to the client. One program knocks at all of them: three SYNs 2 ms apart, for " +
    "fwknop its one packet, which its own client has made before, for letmein the two datagrams of its protocol, the second one made from " +
    "what the host answered. The clock runs from just before the last packet is sent to the first " +
    "connection that comes through; every 0.5 ms a new connect(2) asks, so that no SYN that is sent again decides. Each knock has a source " +
    "of its own, for which no door is open yet. knockd adds an element to a set of nft, or a rule to iptables; letmein adds a rule to nft.",
  references: [...Object.values(byHand), "knockd, nft", "fwknop", "letmein"],
  ours: [...loaders],
  rounds: { quick: 25, full: 100 },
  goals: loaders.flatMap((loader): readonly Goal[] => [
    {
      claim: `${loader}: no slower than the same by hand`,
      of: place(loader),
      to: place(byHand[loader]),
      atMost: 1.05,
    },
    {
      claim: `knockd (nft) takes at least 100 times as long as ${loader}`,
      of: place("knockd, nft"),
      to: place(loader),
      atLeast: 100,
    },
  ]),
  charts: [{ quantity, title: "Last step to first connection", isLogarithmic: true }],
  run,
};

async function run({ rounds, directory, say }: Bench): Promise<Outcome> {
  const bench = await openBenchHosts(2 * loaders.length + 4);
  try {
    const prober = await startProber(bench.client);
    const gates = shapeGates(1);
    const ports = gates[0]?.steps ?? [];
    const steps = ports.map((tcp) => ({ tcp }));
    const hosts = bench.hosts.values();
    const take = () => {
      const { value } = hosts.next();
      if (value === undefined) throw new Error("too few hosts");
      return value;
    };
    // A knock at a gate in the kernel takes a hundredth of the others' time.
    const knockAt = (name: string, host: BenchHost): Subject => ({
      name,
      times: 5,
      measure: async () => [await prober.knock(host, host.takeSource(), steps)],
    });
    const subjects: Subject[] = [];
    for (const loader of loaders) {
      const [ours, theirs] = [take(), take()];
      await loadRuleset(ours.machine, loader, renderOurs(loader, gates));
      const text = loader === "nftables" ? writeNftables(gates) : writeRecent(gates);
      await loadRuleset(theirs.machine, loader, text);
      subjects.push(knockAt(loader, ours), knockAt(byHand[loader], theirs));
    }
    for (const way of ["nft", "iptables"] as const) {
      const host = take();
      await startKnockd(host, way, ports);
      subjects.push({ ...knockAt(`knockd, ${way}`, host), times: 1 });
    }
    const fwknopHost = take();
    const fwknopKeys = makeFwknopKeys();
    await startFwknopd(fwknopHost, fwknopKeys);
    const fwknop = configureFwknop(fwknopHost, fwknopKeys, directory);
    const letmeinHost = take();
    const letmeinKey = makeLetmeinKey();
    await startLetmeind(letmeinHost, letmeinKey);
    const knockOnce = (name: string, host: BenchHost, makeKnock: (source: string) => Promise<KnockStep>) => ({
      name,
      measure: async () => {
        const source = host.takeSource();
        return [await prober.knock(host, source, [await makeKnock(source)])];
      },
    });
    subjects.push(
      knockOnce("fwknop", fwknopHost, fwknop.makePacket),
      knockOnce("letmein", letmeinHost, async () => makeLetmeinKnock(letmeinKey)),
    );
    say("hosts are ready");
    const series = await measureRounds(subjects, {
      quantities: [{ name: quantity, unit: "ms" }],
      scenario: "",
      rounds,
      warmUp: 3,
      again: "nftables",
    });
    const facts = {
      knockd: firstLine("knockd", "--version"),
      fwknop: firstLine("fwknopd", "--version"),
      letmein: firstLine(locateLetmein("letmeind"), "--version"),
    };
    return { series, facts };
  } finally {
    await bench.close();
  }
}
