import { unreachable } from "../../errors.js";
import { linkLocal } from "../../policy/gate.js";
import type { PortRange } from "../../policy/port.js";
import { type Family, formatPrefix, readPrefixes } from "../../policy/prefix.js";
import { portOf } from "../../policy/step.js";
import type {
  Match,
  Paths,
  Rule,
  Ruleset,
  SecretFormatter,
  SourceSet,
  StepMatch,
} from "../../ruleset/ruleset.js";
import { joinPaths } from "../line.js";
import { listName } from "./names.js";

export interface MatchContext {
  readonly ruleset: Ruleset;
  readonly sets: ReadonlyMap<string, SourceSet>;
  readonly family: Family;
  readonly show: SecretFormatter;
}

type Words = readonly string[];

/** A part of a line, and the parts of the policy that its words come from. */
export interface Fragment {
  readonly words: Words;
  readonly paths: Paths;
}

/** Puts more words behind a fragment. */
export function append(before: Fragment, words: Words, paths: Paths = []): Fragment {
  return { words: [...before.words, ...words], paths: joinPaths(before.paths, paths) };
}

/**
 * Prints a rule's matches as alternatives. Each alternative becomes a rule of its own, because iptables has no sets of
 * prefixes.
 */
export function renderMatches({ matches, from }: Rule, context: MatchContext): readonly Fragment[] {
  // iptables-save lists the source first.
  const isSource = ({ kind }: Match) => kind === "notLinkLocal";
  const sorted = [...matches.filter(isSource), ...matches.filter((match) => !isSource(match))];
  return sorted.reduce<readonly Fragment[]>(
    (before, match) => {
      const alternatives = renderMatch(match, context);
      return before.flatMap((one) => alternatives.map(({ words, paths }) => append(one, words, paths)));
    },
    [{ words: [], paths: from }],
  );
}

function renderMatch(match: Match, context: MatchContext): readonly Fragment[] {
  const { ruleset, sets, family } = context;
  switch (match.kind) {
    case "fromPrefixes":
      return match.prefixes
        .filter((prefix) => prefix.family === family)
        .map((prefix) => fragment(["-s", formatPrefix(prefix)]));
    case "loopback":
      return []; // the jump to our first chain excludes it already
    case "notLocal":
      return [fragment(["-m", "addrtype", "!", "--dst-type", "LOCAL"])];
    case "ofFamily":
      return match.family === family ? [fragment([])] : [];
    case "established":
      return [fragment(["-m", "conntrack", "--ctstate", "ESTABLISHED"])];
    case "related":
      return [fragment(["-m", "conntrack", "--ctstate", "RELATED"])];
    case "notLinkLocal":
      return readPrefixes(linkLocal)
        .filter((prefix) => prefix.family === family)
        .map((prefix) => fragment(["!", "-s", formatPrefix(prefix)]));
    case "tcpSyn":
      return [fragment(["-p", "tcp", "-m", "tcp", "--tcp-flags", "SYN,RST,ACK", "SYN"])];
    case "udp":
      return [fragment(["-p", "udp"])];
    case "icmpEcho":
      return [fragment(echo(family))];
    case "step":
      return [fragment(renderStep(match.step, context), [match.step.path])];
    case "anyStep":
      return renderAnyStep(match.steps, context);
    case "inSet":
      return [inList(ruleset.policy, sets.get(match.set), match.set)];
    case "token":
      throw new Error("iptables can't spend a token"); // the rule iptables-token finds it first
    case "notInSet":
      throw new Error("xt_recent knows addresses alone"); // the rule iptables-doubled-step finds it first
    case "overRate":
      return [fragment(overRate(ruleset, match.set, match.perSecond, family))];
    default:
      return unreachable(match);
  }
}

function fragment(words: Words, paths: Paths = []): Fragment {
  return { words, paths };
}

/** xt_recent never expires a source by itself. So the match asks whether the source was added within the set's time. */
function inList(policy: string, set: SourceSet | undefined, name: string): Fragment {
  const within = ["--rcheck", "--seconds", `${set?.timeoutSeconds}`];
  return fragment(
    ["-m", "recent", ...within, "--name", listName(policy, name), "--rsource"],
    set?.timeoutFrom,
  );
}

function overRate(ruleset: Ruleset, set: string, perSecond: number, family: Family): Words {
  const rate = ["--hashlimit-above", `${perSecond}/sec`, "--hashlimit-burst", `${2 * perSecond}`];
  const network = ["--hashlimit-mode", "srcip", "--hashlimit-srcmask", family === "ipv4" ? "24" : "64"];
  return ["-m", "hashlimit", ...rate, ...network, "--hashlimit-name", listName(ruleset.policy, set)];
}

/** xt_length counts from the start of the IP header in both families (kernel net/netfilter/xt_length.c). */
function renderStep(step: StepMatch, { family, show }: MatchContext): Words {
  const { packet } = step;
  const headers = family === "ipv4" ? 28 : 48;
  const length = (payload: number) => ["-m", "length", "--length", show(step, "payload", payload + headers)];
  switch (packet.kind) {
    case "tcp":
      return toPort("tcp", show(step, "port", packet.port));
    case "udp": {
      const port = toPort("udp", show(step, "port", packet.port));
      return packet.payloadBytes === undefined ? port : [...port, ...length(packet.payloadBytes)];
    }
    case "icmpEcho":
      return [...echo(family), ...length(packet.payloadBytes)];
    default:
      return unreachable(packet);
  }
}

/**
 * Prints as few matches as possible, because a packet that is not a step passes through all of them. Equal steps are
 * printed twice, so the number of matches is the same whether secrets are shown or not.
 */
function renderAnyStep(steps: readonly StepMatch[], context: MatchContext): readonly Fragment[] {
  const [first] = steps;
  if (first === undefined) return [];
  const { packet } = first;
  switch (packet.kind) {
    case "tcp":
    case "udp": {
      const ports = steps.flatMap((step) => {
        const port = portOf(step.packet);
        return port === undefined
          ? []
          : [{ text: context.show(step, "port", port), isRange: false, from: [step.path] }];
      });
      return toAnyPort(packet.kind, ports);
    }
    case "icmpEcho":
      return steps.map((step) => fragment(renderStep(step, context), [step.path]));
    default:
      return unreachable(packet);
  }
}

/** The most ports that xt_multiport takes (kernel `XT_MULTI_PORTS`). A range counts as two. */
const mostPorts = 15;

/**
 * A port or a range of ports, as it is printed. A label in the place of a secret does not show which of the two it is.
 */
interface PortText {
  readonly text: string;
  readonly isRange: boolean;
  readonly from: Paths;
}

/** Prints as few matches as possible for any of these ports and ranges. */
export function toAnyPort(protocol: "tcp" | "udp", ports: readonly PortText[]): readonly Fragment[] {
  const groups: PortText[][] = [];
  let left = 0;
  for (const port of ports) {
    const places = port.isRange ? 2 : 1;
    if (left < places) {
      groups.push([]);
      left = mostPorts;
    }
    groups.at(-1)?.push(port);
    left -= places;
  }
  return groups.map((group) => {
    const texts = group.map(({ text }) => text).join(",");
    const words =
      group.length === 1 ? toPort(protocol, texts) : ["-p", protocol, "-m", "multiport", "--dports", texts];
    return fragment(
      words,
      group.flatMap(({ from }) => from),
    );
  });
}

/** Prints the match on a range of ports, as iptables-save lists it. */
export function toRange(protocol: "tcp" | "udp", range: PortRange): Words {
  return toPort(protocol, writeRange(range, []).text);
}

function toPort(protocol: "tcp" | "udp", port: string): Words {
  return ["-p", protocol, "-m", protocol, "--dport", port];
}

function echo(family: Family): Words {
  return family === "ipv4"
    ? ["-p", "icmp", "-m", "icmp", "--icmp-type", "8"]
    : ["-p", "ipv6-icmp", "-m", "icmp6", "--icmpv6-type", "128"];
}

export function writeRange(range: PortRange, from: Paths): PortText {
  const isRange = range.first !== range.last;
  return { text: isRange ? `${range.first}:${range.last}` : `${range.first}`, isRange, from };
}
