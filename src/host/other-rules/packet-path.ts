import type { Protocol } from "../../policy/port.js";

/** A packet that would begin a connection to a port of the host. */
export interface FirstPacket {
  readonly protocol: Protocol;
  readonly port: number;
  /** After a translation of the destination: the port that the client asked for. */
  readonly publishedPort?: number;
}

/**
 * Which of such packets a rule is about: `all`; `some`, because it looks at more than the port; `rate`, which depends
 * on how many packets come; or `none`.
 */
export type Reach = "all" | "some" | "rate" | "none";

/** A rule of another firewall, reduced to what matters here. It is the same whichever tool listed it. */
export interface ForeignRule {
  readonly chain: string;
  readonly act: Act | undefined;
  readonly reach: (first: FirstPacket) => { readonly reach: Reach; readonly namesPort: boolean };
}

type Act =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  /** A verdict map. Its verdict may differ from packet to packet. */
  | { readonly kind: "map"; readonly acts: (first: FirstPacket) => readonly Act[] | "unknown" }
  | { readonly kind: "translate"; readonly port: number | undefined };

export interface ForeignTable {
  /** Family and table: `inet filter`. */
  readonly name: string;
  /** Base chains: the kernel hands packets to them. */
  readonly bases: readonly { readonly name: string; readonly hook: string; readonly policy: string }[];
  readonly rules: readonly ForeignRule[];
}

/** What becomes of a packet in a base chain. */
export interface PacketPath {
  /** What happens to the packet if no rule that looks at more than its port decides. */
  readonly end: "accept" | "drop";
  readonly by: "rule" | "policy";
  /** The chain of the rule that decides. The base chain, if no rule decides. */
  readonly where: string;
  /** Whether an earlier rule that looks at more than the port may accept it. */
  readonly mayPass: boolean;
  /**
   * The chain of an earlier rule that may drop it: a rule that names the port, or any rule in a chain that is for such
   * rules.
   */
  readonly mayDrop: string | undefined;
}

/** The most rules that are followed for one packet. A packet that meets more counts as accepted. */
const mostRules = 20_000;
/** nft allows 16 (NFT_JUMP_STACK_SIZE). */
const deepest = 32;

/**
 * The chain for people's own rules about ports that Docker publishes. A drop in it is about such ports, whatever the
 * rule names.
 */
const dockerChain = "DOCKER-USER";

/** Follows a packet through a base chain and the chains that it jumps to. */
export function followPacket(
  table: ForeignTable,
  base: ForeignTable["bases"][number],
  first: FirstPacket,
): PacketPath {
  const byChain = new Map<string, ForeignRule[]>();
  for (const rule of table.rules) {
    const chain = byChain.get(rule.chain);
    if (chain === undefined) byChain.set(rule.chain, [rule]);
    else chain.push(rule);
  }
  let seen = 0;
  let where = base.name;
  let mayPass = false;
  let mayDrop: string | undefined;

  type End = "accept" | "drop" | "through";
  const note = (end: End, chain: string, isAboutPort: boolean): void => {
    if (end === "accept") mayPass = true;
    if (end === "drop" && (isAboutPort || chain === dockerChain)) mayDrop ??= chain;
  };
  const perform = (
    act: Act,
    depth: number,
    chain: string,
    isCertain: boolean,
    namesPort: boolean,
  ): End | "return" => {
    switch (act.kind) {
      case "accept":
      case "drop":
        if (isCertain) {
          where = chain;
          return act.kind;
        }
        note(act.kind, chain, namesPort);
        return "through";
      case "return":
        return isCertain ? "return" : "through";
      case "jump":
      case "goto": {
        const end = walk(act.chain, depth + 1);
        if (end !== "through" && !isCertain) note(end, act.chain, namesPort);
        if (!isCertain) return "through";
        return end === "through" && act.kind === "goto" ? "return" : end;
      }
      case "map": {
        const acts = act.acts(first);
        if (acts === "unknown") {
          mayPass = true;
          return "through";
        }
        const [only] = acts;
        if (only !== undefined && acts.length === 1) return perform(only, depth, chain, isCertain, namesPort);
        for (const one of acts) perform(one, depth, chain, false, namesPort);
        return "through";
      }
      case "translate":
        return "through";
    }
  };
  const walk = (chain: string, depth: number): End => {
    if (depth > deepest) return "through";
    for (const rule of byChain.get(chain) ?? []) {
      seen += 1;
      if (seen > mostRules) return "accept";
      if (rule.act === undefined) continue;
      const { reach, namesPort } = rule.reach(first);
      if (reach === "none" || (reach === "rate" && rule.act.kind !== "accept")) continue;
      const end = perform(rule.act, depth, chain, reach !== "some", namesPort);
      if (end === "return") return "through";
      if (end !== "through") return end;
    }
    return "through";
  };
  const end = walk(base.name, 0);
  if (end !== "through") return { end, by: "rule", where, mayPass, mayDrop };
  const byPolicy = base.policy === "drop" ? "drop" : "accept";
  return { end: byPolicy, by: "policy", where: base.name, mayPass, mayDrop };
}

/** Returns the port to which a table translates a packet's destination. `undefined`: it does not translate it. */
export function findTranslation(table: ForeignTable, first: FirstPacket): number | undefined {
  for (const { act, reach } of table.rules) {
    if (act?.kind !== "translate") continue;
    const found = reach(first);
    if (found.reach !== "none" && found.namesPort) return act.port ?? first.port;
  }
  return undefined;
}
