import { z } from "zod";
import { type Condition, combineConditions, hasNewState, isProtocol } from "./conditions.js";
import { listEntries } from "./described.js";
import { hasField, readField } from "./json.js";
import type { ForeignRule, ForeignTable, Opening } from "./packet-path.js";

/** What is not as it is expected, in somebody else's table, is left out. */
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

/** Reads the tables of a host as `nft -j -t list ruleset` lists them (libnftables-json(5)); none where it is something else. */
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
  // iptables' targets, when the kernel keeps its rules.
  const xt = readField(part, "xt");
  if (readField(xt, "name") === "REJECT") return { kind: "drop" };
  return undefined;
}

type MapAct = Extract<ForeignRule["act"], { kind: "map" }>;

/** `tcp dport vmap { 22 : accept, 80-90 : jump web }`; a map with a name is listed without what is in it. */
function readMap(vmap: unknown): MapAct["acts"] {
  const key = readField(vmap, "key");
  const entries = readField(readField(vmap, "data"), "set");
  const isPort = readPort(key) !== undefined;
  if (!Array.isArray(entries)) return () => (isPort || isConcatenation(key) ? "unknown" : []);
  return (opening) =>
    entries.flatMap((entry) => {
      const [element, verdict] = Array.isArray(entry) ? entry : [];
      const act = readAct(verdict);
      if (act === undefined) return [];
      const covers = isPort
        ? readPort(key)?.(opening, element) === true
        : isState(key)
          ? hasNewState(listWords(element))
          : isProtocolKey(key)
            ? isProtocol(element, opening.protocol)
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

/** nft lists of some of iptables' matches nothing but the name; without iptables itself to ask, that has to do. */
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
    // With a port it is mostly NEW, and without one mostly ESTABLISHED.
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
      isAbout: (opening) => {
        const found = isEqual ? port(opening, right) : "maybe";
        return isNegated && found !== "maybe" ? isRightProtocol(left, opening) && !found : found;
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
    // Flags say which packets of a connection; the first one is meant more often than not.
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
  // A connection that was translated is one that somebody published.
  if (readField(readField(left, "ct"), "key") === "status") return { kind: "some" };
  return isConcatenation(left) ? { kind: "port", isAbout: () => "maybe" } : { kind: "some" };
}

type PortTest = (opening: Opening, value: unknown) => boolean | "maybe";

/** What a match on `tcp dport`, on any transport's, or on the port before a translation says of a value, a set or a range. */
function readPort(left: unknown): PortTest | undefined {
  const payload = readField(left, "payload");
  if (readField(payload, "field") === "dport") {
    return (opening, value) => isRightProtocol(left, opening) && holds(value, opening.port);
  }
  if (readField(readField(left, "ct"), "key") === "proto-dst") {
    return (opening, value) => holds(value, opening.publishedPort ?? opening.port);
  }
  return undefined;
}

function isRightProtocol(left: unknown, { protocol }: Opening): boolean {
  const named = readField(readField(left, "payload"), "protocol");
  return named === undefined || named === protocol || named === "th";
}

/** A set with a name is listed without what is in it. */
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

/** The words of a value, of a list, of a set or of flags that are joined. */
function listWords(value: unknown): readonly string[] {
  if (typeof value === "string" || typeof value === "number") return [`${value}`];
  const many = Array.isArray(value) ? value : (readField(value, "set") ?? readField(value, "|"));
  return Array.isArray(many) ? many.flatMap(listWords) : [];
}
