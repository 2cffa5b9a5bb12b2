import type { Goal } from "../figure";
import type { TrafficKind } from "../hosts/packet-host";
import { type Loader, loaders } from "../hosts/rulesets";

export const cost = "CPU per packet";
export const bare = "no firewall";
export const tracking = "conntrack alone";
export const byHand: Readonly<Record<Loader, string>> = {
  nftables: "by hand, nftables",
  "iptables-nft": "by hand, recent (iptables-nft)",
  "iptables-legacy": "by hand, recent (iptables-legacy)",
};
/** The same, but a packet that is not the next step puts its source back to the start. */
export const strictByHand: Readonly<Record<Loader, string>> = {
  nftables: "by hand, strict (nftables)",
  "iptables-nft": "by hand, strict (iptables-nft)",
  "iptables-legacy": "by hand, strict (iptables-legacy)",
};
export const counts = [1, 10, 100] as const;
/** What tokens are compared with: a sequence. */
export const today = "nftables";
export const tokens = { 1: "nftables, tokens of 1 user", 100: "nftables, tokens of 100 users" } as const;
export const traffic: Readonly<
  Record<TrafficKind, { readonly name: string; readonly milliseconds: number }>
> = {
  established: { name: "established traffic", milliseconds: 50 },
  unrelated: { name: "unrelated traffic", milliseconds: 50 },
  unrelatedTcp: { name: "unrelated TCP", milliseconds: 50 },
  flood1: { name: "flood of first steps from 1 source", milliseconds: 50 },
  flood100000: { name: "flood of first steps from 100,000 sources", milliseconds: 150 },
  midKnock: { name: "packets of sources in mid-sequence", milliseconds: 50 },
  wrongTokens: { name: "wrong tokens", milliseconds: 50 },
};
/** Packets that are none of a gate's. */
export const unrelatedKinds = ["established", "unrelated", "unrelatedTcp"] as const;
/** Packets of a knock. */
const knockKinds = ["flood1", "flood100000", "midKnock"] as const;

const looksUp =
  "a strict knock has to look up the source of each new packet, which the recipes by hand do not: with them a sweep of ports walks in; " +
  "“by hand, strict” is what people would write who want it, too";
const twoRules =
  "before the rule for established connections stand two that the recipes by hand do not have: that for the loopback, and that which leads " +
  "a SYN straight to the gates. They cost each packet some percent, and more in some runs than in others";
const looksForToken =
  "the gate's own port: each datagram's 16 bytes are looked up among all tokens, which no cache of the processor holds";
const portsByRule =
  "iptables has no sets of ports: a rule compares a packet's with fifteen, so that a SYN meets one rule for each fifteen protected " +
  "ports and one for each fifteen first steps";
const groups =
  "with many gates, a source in mid-sequence is put into one set more, that of a group of gates, and a packet that is none of its steps " +
  "is looked up in each group and at each gate of its source's group; see docs/scale.md";

/** What a packet may cost, by what it is and how many gates there are. */
export function listPacketGoals(): readonly Goal[] {
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
        why: kind === "established" ? twoRules : looksUp,
      })),
      {
        claim: `${loader}: ${nameScenario(kind, 1)}, against the same by hand, strict`,
        of: place(kind, 1, loader),
        to: place(kind, 1, strictByHand[loader]),
        atMost: 1.03,
        ...(kind === "established" ? { why: twoRules } : {}),
      },
      {
        claim: `${loader}: ${traffic[kind].name}, 100 gates against 1: flat`,
        of: place(kind, 100, loader),
        to: place(kind, 1, loader),
        atMost: 1.1,
        ...(loader !== "nftables" && kind === "unrelatedTcp" ? { why: portsByRule } : {}),
      },
    ]),
    ...knockKinds.map((kind) =>
      loader === "nftables"
        ? {
            claim: `${loader}: ${traffic[kind].name}, 100 gates against 1: flat`,
            of: place(kind, 100, loader),
            to: place(kind, 1, loader),
            atMost: 1.3,
            ...(kind === "flood1" ? {} : { why: groups }),
          }
        : {
            claim: `${loader}: ${nameScenario(kind, 10)}, against the same by hand`,
            of: place(kind, 10, loader),
            to: place(kind, 10, byHand[loader]),
            atMost: 3,
          },
    ),
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

export function nameScenario(kind: TrafficKind, count: number): string {
  return `${traffic[kind].name}, ${count} gate${count === 1 ? "" : "s"}`;
}
