import { unreachable } from "../../errors.js";
import { tokenPlace } from "../../knock/token-payload.js";
import type { Carrier } from "../../policy/carrier.js";
import { linkLocal } from "../../policy/gate.js";
import { type Family, families, formatPrefix, readPrefixes } from "../../policy/prefix.js";
import type { Step } from "../../policy/step.js";
import type { Chain, Match, Rule, SourceSet, StepMatch, TokenUse } from "../../ruleset/ruleset.js";
import { identifier } from "../quote.js";
import { renderAnyStep } from "./alike.js";
import { braces, echoLength, icmp } from "./fields.js";
import { familySetName, type NftablesContext } from "./names.js";

/**
 * Returns the families that a rule is printed for, in a chain for packets of one family or of both. `undefined`: the
 * rule is the same for both families and is printed once.
 */
export function familiesOf(rule: Rule, { family: only }: Chain): readonly (Family | undefined)[] {
  const listed = listFamilies(rule);
  return only === undefined ? listed : listed.filter((family) => family === undefined || family === only);
}

function listFamilies(rule: Rule): readonly (Family | undefined)[] {
  for (const match of rule.matches) {
    if (match.kind === "ofFamily") return [match.family];
    if (match.kind === "fromPrefixes") {
      return families.filter((family) => match.prefixes.some((prefix) => prefix.family === family));
    }
    if (isOfFamily(match)) return families;
  }
  const { verdict } = rule;
  if (verdict?.kind === "dispatchSteps" && isKindOfFamily[verdict.stepKind]) return families;
  return rule.effects.some((effect) => effect.kind === "addSource" || effect.kind === "deleteSource")
    ? families
    : [undefined];
}

/** Whether a match holds only for packets of one family. */
export function isOfFamily(match: Match): boolean {
  switch (match.kind) {
    case "fromPrefixes":
    case "ofFamily":
    case "inSet":
    case "notInSet":
    case "notLinkLocal":
    case "overRate":
    case "icmpEcho":
      return true;
    case "step":
      return isStepOfFamily(match.step);
    case "token":
      return isKindOfFamily[match.carrier.kind];
    case "anyStep":
      return isStepOfFamily(match.steps[0]);
    case "loopback":
    case "notLocal":
    case "established":
    case "related":
    case "tcpSyn":
    case "udp":
      return false;
    default:
      return unreachable(match);
  }
}

/** Whether each family has header fields of its own for a kind of step. */
const isKindOfFamily: Readonly<Record<Step["kind"], boolean>> = { tcp: false, udp: false, icmpEcho: true };

function isStepOfFamily(step: StepMatch | undefined): boolean {
  return step !== undefined && isKindOfFamily[step.packet.kind];
}

export function renderMatch(match: Match, family: Family, context: NftablesContext): string {
  switch (match.kind) {
    case "loopback":
      return 'iif "lo"';
    case "notLocal":
      return "fib daddr type != local";
    case "ofFamily":
      return `meta nfproto ${match.family}`;
    case "established":
      // Conntrack also reassembles IPv6 fragments before our chain. Without conntrack, a fragmented SYN would pass
      // unseen (kernel net/ipv6/netfilter/nf_defrag_ipv6_hooks.c). So this match is in every ruleset.
      return "ct state established";
    case "related":
      return "ct state related";
    case "fromPrefixes":
      return `${saddr(family)} ${braces(match.prefixes.filter((prefix) => prefix.family === family).map(formatPrefix))}`;
    case "notLinkLocal":
      return `${saddr(family)} != ${linkLocalOf(family)}`;
    case "tcpSyn":
      return "tcp flags & (syn | ack | rst) == syn";
    case "udp":
      return "meta l4proto udp";
    case "icmpEcho":
      return `${icmp(family)} type echo-request`;
    case "step":
      return renderStep(match.step, family, context);
    case "anyStep":
      return renderAnyStep(match.steps, family, context);
    case "token":
      return `${renderTokenPacket(match.carrier, match.use, family)} ${renderToken(match.carrier)} @${identifier(match.set)}`;
    case "inSet":
      return `${renderSaddr(family, context.sets.get(match.set))} @${familySetName(match.set, family)}`;
    case "notInSet":
      return `${renderSaddr(family, context.sets.get(match.set))} != @${familySetName(match.set, family)}`;
    case "overRate": {
      const key = renderSaddr(family, context.sets.get(match.set));
      const burst = `burst ${2 * match.perSecond} packets`;
      return `update @${familySetName(match.set, family)} { ${key} limit rate over ${match.perSecond}/second ${burst} }`;
    }
    default:
      return unreachable(match);
  }
}

/** Prints the key by which a source is looked up in this set. */
export function renderSaddr(family: Family, set: SourceSet | undefined): string {
  switch (set?.key) {
    case "packet":
      return `${saddr(family)} . th sport`;
    case "network":
      return `${saddr(family)} & ${family === "ipv4" ? "255.255.255.0" : "ffff:ffff:ffff:ffff::"}`;
    default:
      return saddr(family);
  }
}

/**
 * The lengths are fields of headers and count headers, too: IPv4's total length, IPv6's payload length, UDP's length
 * (RFC 791, 8200, 768).
 */
function renderStep(step: StepMatch, family: Family, { show }: NftablesContext): string {
  const { packet } = step;
  switch (packet.kind) {
    case "tcp":
      return `tcp dport ${show(step, "port", packet.port)}`;
    case "udp": {
      const port = `udp dport ${show(step, "port", packet.port)}`;
      return packet.payloadBytes === undefined
        ? port
        : `${port} udp length ${show(step, "payload", packet.payloadBytes + 8)}`;
    }
    case "icmpEcho": {
      const { field, headers } = echoLength(family);
      return `${icmp(family)} type echo-request ${field} ${show(step, "payload", packet.payloadBytes + headers)}`;
    }
    default:
      return unreachable(packet);
  }
}

/** Prints where a packet has its token: bits from the start of its UDP or ICMP header, which has 64 (RFC 768, 792). */
export function renderToken(carrier: Carrier): string {
  return `@th,${64 + 8 * tokenPlace(carrier).offset},128`;
}

/** A packet that is one byte longer closes the door. */
function renderTokenPacket(carrier: Carrier, use: TokenUse | undefined, family: Family): string {
  const { payloadBytes } = tokenPlace(carrier);
  const sizes =
    use === undefined ? [payloadBytes, payloadBytes + 1] : [payloadBytes + (use === "open" ? 0 : 1)];
  const lengths = (headers: number) => braces(sizes.map((size) => `${size + headers}`));
  switch (carrier.kind) {
    case "udp":
      return `udp dport ${carrier.port} udp length ${lengths(8)}`;
    case "icmpEcho": {
      const { field, headers } = echoLength(family);
      return `${icmp(family)} type echo-request ${field} ${lengths(headers)}`;
    }
    default:
      return unreachable(carrier);
  }
}

function linkLocalOf(family: Family): string {
  return braces(
    readPrefixes(linkLocal)
      .filter((prefix) => prefix.family === family)
      .map(formatPrefix),
  );
}

function saddr(family: Family): string {
  return family === "ipv4" ? "ip saddr" : "ip6 saddr";
}
