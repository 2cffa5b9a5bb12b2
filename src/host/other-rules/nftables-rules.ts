import { z } from "zod";
import { listEntries } from "../../backends/nftables/description.js";
import { hasField, readField } from "../../backends/nftables/json.js";
import { type Condition, combineConditions, hasNewState, isProtocol } from "./conditions.js";
import type { FirstPacket, ForeignRule, ForeignTable } from "./packet-path.js";

/** An entry of another firewall that does not have the expected shape is left out. */
const entrySchema = z.object({
  chain: z
    .object({
      family: z.string(),
      table: z.string(),
      name: z.string(),
      hook: z.string().optional(),
      policy: z.string().optional(),
    })
    .optional()
    .catch(undefined),
  rule: z
    .object({
      family: z.string(),
      table: z.string(),
      chain: z.string(),
      expr: z.array(z.unknown()).default([]),
    })
    .optional()
    .catch(undefined),
});

/** Reads a host's tables from `nft -j -t list ruleset` (libnftables-json(5)). Other text has no tables. */
export function readNftablesRules(json: string): readonly ForeignTable[] {
  const entries = listEntries(json).flatMap((entry) => entrySchema.safeParse(entry).data ?? []);
  const rules = entries.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
  const chains = entries.flatMap(({ chain }) => (chain === undefined ? [] : [chain]));
  const nameOf = (it: { readonly family: string; readonly table: string }) => `${it.family} ${it.table}`;
  return [...new Set(chains.map(nameOf))].map((name) => ({
    name,
    bases: chains
      .filter((chain) => nameOf(chain) === name && chain.hook !== undefined)
      .map((chain) => ({ name: chain.name, hook: chain.hook ?? "", policy: chain.policy ?? "accept" })),
    rules: rules
      .filter((rule) => nameOf(rule) === name)
      .map(({ chain, expr }) => ({
        chain,
        act: expr.map(readAct).find((act) => act !== undefined),
        reach: combineConditions(expr.flatMap((part) => readCondition(part, expr))),
      })),
  }));
}

function readAct(part: unknown): ForeignRule["act"] {
  for (const kind of ["accept", "return"] as const) if (hasField(part, kind)) return { kind };
  if (hasField(part, "drop") || hasField(part, "reject")) return { kind: "drop" };
  for (const kind of ["jump", "goto"] as const) {
    if (hasField(part, kind)) return { kind, chain: `${readField(readField(part, kind), "target")}` };
  }
  if (hasField(part, "dnat") || hasField(part, "redirect")) {
    const port = readField(readField(part, "dnat") ?? readField(part, "redirect"), "port");
    return { kind: "translate", port: typeof port === "number" ? port : undefined };
  }
  if (hasField(part, "vmap")) return { kind: "map", acts: readMap(readField(part, "vmap")) };
  // A target of iptables, where nf_tables keeps the rules of iptables.
  const xt = readField(part, "xt");
  if (readField(xt, "name") === "REJECT") return { kind: "drop" };
  return undefined;
}

type MapAct = Extract<ForeignRule["act"], { kind: "map" }>;

/**
 * Reads a verdict map: `tcp dport vmap { 22 : accept, 80-90 : jump web }`. A named map is listed without its elements.
 */
function readMap(vmap: unknown): MapAct["acts"] {
  const key = readField(vmap, "key");
  const entries = readField(readField(vmap, "data"), "set");
  const isPort = readPort(key) !== undefined;
  if (!Array.isArray(entries)) return () => (isPort || isConcatenation(key) ? "unknown" : []);
  return (first) =>
    entries.flatMap((entry) => {
      const [element, verdict] = Array.isArray(entry) ? entry : [];
      const act = readAct(verdict);
      if (act === undefined) return [];
      const covers = isPort
        ? readPort(key)?.(first, element) === true
        : isState(key)
          ? hasNewState(listWords(element))
          : isProtocolKey(key)
            ? isProtocol(element, first.protocol)
            : true;
      return covers ? [act] : [];
    });
}

function readCondition(part: unknown, expr: readonly unknown[]): readonly Condition[] {
  if (hasField(part, "limit")) return [{ kind: "rate" }];
  if (hasField(part, "match")) return [readMatch(readField(part, "match"))];
  if (hasField(part, "vmap")) {
    const port = readPort(readField(readField(part, "vmap"), "key"));
    return port === undefined ? [] : [{ kind: "port", isAbout: () => true }];
  }
  const xt = readField(part, "xt");
  return readField(xt, "type") === "match" ? readOpaque(`${readField(xt, "name")}`, expr) : [];
}

/**
 * Guesses the condition from the name of an iptables match, because nft lists only the name of some matches. Used where
 * iptables itself can't be asked.
 */
function readOpaque(name: string, expr: readonly unknown[]): readonly Condition[] {
  if (["comment", "addrtype", "tcp", "udp"].includes(name)) {
    return name === "tcp" || name === "udp"
      ? [
          { kind: "protocol", isAbout: (protocol) => protocol === name },
          { kind: "port", isAbout: () => "maybe" },
        ]
      : [];
  }
  if (["limit", "hashlimit", "recent", "connlimit"].includes(name)) return [{ kind: "rate" }];
  if (["conntrack", "state"].includes(name)) {
    // A rule with a port mostly asks for NEW, and a rule without a port for ESTABLISHED.
    const namesPort = expr.some(
      (part) => readPort(readField(readField(part, "match"), "left")) !== undefined,
    );
    return [{ kind: namesPort ? "always" : "never" }];
  }
  if (["icmp", "icmp6", "icmpv6"].includes(name)) return [{ kind: "never" }];
  return name === "multiport" ? [{ kind: "port", isAbout: () => "maybe" }] : [{ kind: "some" }];
}

function readMatch(match: unknown): Condition {
  const [left, right] = [readField(match, "left"), readField(match, "right")];
  const isNegated = readField(match, "op") === "!=";
  const isEqual = ["==", "in", "!="].includes(`${readField(match, "op")}`);
  const port = readPort(left);
  if (port !== undefined) {
    return {
      kind: "port",
      isAbout: (first) => {
        const found = isEqual ? port(first, right) : "maybe";
        return isNegated && found !== "maybe" ? isRightProtocol(left, first) && !found : found;
      },
    };
  }
  if (isProtocolKey(left)) {
    return {
      kind: "protocol",
      isAbout: (name) => listWords(right).some((word) => isProtocol(word, name)) !== isNegated,
    };
  }
  if (isState(left)) return { kind: hasNewState(listWords(right)) === isNegated ? "never" : "always" };
  const payload = readField(left, "payload");
  const protocol = `${readField(payload, "protocol")}`;
  if (/^icmp/.test(protocol)) return { kind: "never" };
  if (protocol === "tcp" || protocol === "udp") {
    // Flags select packets of a connection. Most rules mean the first packet.
    return { kind: "protocol", isAbout: (name) => name === protocol };
  }
  return readMeta(left, right, isNegated);
}

function readMeta(left: unknown, right: unknown, isNegated: boolean): Condition {
  const key = readField(readField(left, "meta"), "key");
  const words = listWords(right);
  if (key === "nfproto") return { kind: "always" };
  if (key === "pkttype")
    return { kind: words.includes("host") || words.includes("unicast") !== isNegated ? "always" : "never" };
  if ((key === "iif" || key === "iifname") && words.length === 1 && words[0] === "lo") {
    return { kind: isNegated ? "always" : "never" };
  }
  const fib = readField(left, "fib");
  if (readField(fib, "result") === "type")
    return { kind: words.includes("local") === isNegated ? "never" : "always" };
  // A translated connection goes to a port that somebody published.
  if (readField(readField(left, "ct"), "key") === "status") return { kind: "some" };
  return isConcatenation(left) ? { kind: "port", isAbout: () => "maybe" } : { kind: "some" };
}

type PortTest = (first: FirstPacket, value: unknown) => boolean | "maybe";

/**
 * Returns the test of a match on a port: `tcp dport`, `th dport`, or the port before a translation (`ct proto-dst`).
 * The tested value is a number, a set or a range.
 */
function readPort(left: unknown): PortTest | undefined {
  const payload = readField(left, "payload");
  if (readField(payload, "field") === "dport") {
    return (first, value) => isRightProtocol(left, first) && holds(value, first.port);
  }
  if (readField(readField(left, "ct"), "key") === "proto-dst") {
    return (first, value) => holds(value, first.publishedPort ?? first.port);
  }
  return undefined;
}

function isRightProtocol(left: unknown, { protocol }: FirstPacket): boolean {
  const named = readField(readField(left, "payload"), "protocol");
  return named === undefined || named === protocol || named === "th";
}

/** A named set is listed without its elements. */
function holds(value: unknown, port: number): boolean | "maybe" {
  if (typeof value === "string" && value.startsWith("@")) return "maybe";
  if (value === port) return true;
  const range = readField(value, "range");
  if (Array.isArray(range)) return Number(range[0]) <= port && port <= Number(range[1]);
  const set = readField(value, "set");
  const elements = Array.isArray(set) ? set : [];
  const found = elements.map((entry) => holds(readField(readField(entry, "elem"), "val") ?? entry, port));
  return found.includes(true) || (found.includes("maybe") ? "maybe" : false);
}

function isProtocolKey(left: unknown): boolean {
  const payload = readField(left, "payload");
  return (
    readField(readField(left, "meta"), "key") === "l4proto" ||
    (readField(payload, "protocol") === "ip" && readField(payload, "field") === "protocol") ||
    (readField(payload, "protocol") === "ip6" && readField(payload, "field") === "nexthdr")
  );
}

function isState(left: unknown): boolean {
  return readField(readField(left, "ct"), "key") === "state";
}

function isConcatenation(left: unknown): boolean {
  const parts = readField(left, "concat");
  return Array.isArray(parts) && parts.some((part) => readPort(part) !== undefined);
}

/** Lists the words of a value, a list, a set, or flags joined by `|`. */
function listWords(value: unknown): readonly string[] {
  if (typeof value === "string" || typeof value === "number") return [`${value}`];
  const many = Array.isArray(value) ? value : (readField(value, "set") ?? readField(value, "|"));
  return Array.isArray(many) ? many.flatMap(listWords) : [];
}
