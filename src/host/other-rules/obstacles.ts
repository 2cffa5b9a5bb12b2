import { backendOf } from "../../backends/backends.js";
import type { Policy } from "../../policy/policy.js";
import type { Protocol } from "../../policy/port.js";
import { readProtect } from "../../policy/protect.js";
import { readNftablesRules } from "./nftables-rules.js";
import {
  type FirstPacket,
  type ForeignTable,
  findTranslation,
  followPacket,
  type PacketPath,
} from "./packet-path.js";
import { readXtablesRules } from "./xtables-rules.js";

/**
 * A port that stays closed after a knock, because another chain of the host drops its packets. Our accept never
 * overrides a drop in another base chain (nft(8), "VERDICT STATEMENTS").
 */
export interface Obstacle {
  /** Family, table and chain: `inet filter input`. */
  readonly chain: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /**
   * `may`: rules that look at more than the port drop it or accept it. Only the host's administrator can judge them.
   */
  readonly why: "policy" | "rule" | "may";
}

/** What a host says of its firewalls. */
export interface ForeignRules {
  /** `nft -j -t list ruleset`. */
  readonly tables: string;
  /** `iptables-save` and `ip6tables-save`, each below its heading; empty where there is no iptables. */
  readonly xtables?: string | undefined;
}

/**
 * Finds what would drop a packet to a protected port, in all tables of a host except Knockgate's own. It follows
 * packets to the host; for ports that a container engine publishes, it follows forwarded packets. It reads ports,
 * states and verdicts, and follows jumps. A rule that looks at anything else makes a `may`.
 */
export function findObstacles(foreign: ForeignRules, policy: Policy): readonly Obstacle[] {
  const tables = readTables(foreign).filter(({ name }) => !name.split(" ")[1]?.startsWith("knockgate_"));
  return tables.flatMap((table) =>
    table.bases.flatMap((base) =>
      listPorts(policy).flatMap((first): readonly Obstacle[] => {
        const packet = meets(base.hook, first, tables, policy);
        if (packet === undefined || isOwn(table.name, policy)) return [];
        const path = followPacket(table, base, packet);
        const why = judge(path, base.hook);
        if (why === undefined) return [];
        const { protocol, port } = first;
        // The base chain of forwarded packets belongs to the container engine. So name the chain of the rule that
        // decides.
        const decides = base.hook === "forward" ? path.where : base.name;
        const chain = why === "may" ? (path.mayDrop ?? base.name) : decides;
        return [{ chain: `${table.name} ${chain}`, protocol, port, why }];
      }),
    ),
  );
}

/** Prefers what iptables-save lists: it shows all matches of a rule, and nft shows only the name of many. */
function readTables({ tables, xtables = "" }: ForeignRules): readonly ForeignTable[] {
  const asked = readXtablesRules(xtables);
  const names = new Set(asked.map(({ name }) => name));
  return [...readNftablesRules(tables).filter(({ name }) => !names.has(name)), ...asked];
}

/**
 * Returns the packet as the chains of a hook see it; `undefined`: they do not see it. After a translation, the packet
 * is forwarded to a container and has the container's port.
 */
function meets(
  hook: string,
  first: FirstPacket,
  tables: readonly ForeignTable[],
  policy: Policy,
): FirstPacket | undefined {
  if (hook === "prerouting" || hook === "ingress") return first;
  if (policy.scope === "input") return hook === "input" ? first : undefined;
  const led = tables.map((table) => findTranslation(table, first)).find((port) => port !== undefined);
  if (led === undefined) return hook === "input" ? first : undefined;
  return hook === "forward" ? { ...first, port: led, publishedPort: first.port } : undefined;
}

function judge({ end, by, mayPass, mayDrop }: PacketPath, hook: string): Obstacle["why"] | undefined {
  if (mayDrop !== undefined && (end === "accept" || mayPass)) return "may";
  if (end === "accept") return undefined;
  // Rules for forwarded packets look at interfaces, and a container engine accepts its own packets by them.
  if (mayPass) return hook === "forward" ? undefined : "may";
  return by;
}

/** Says what stands in the way, and what to do. */
export function describeObstacle({ chain, protocol, port, why }: Obstacle): string {
  const name = `${protocol.toUpperCase()} port ${port}`;
  switch (why) {
    case "rule":
      return `chain ${chain} has a rule that drops ${name}: let it accept the port, which Knockgate guards`;
    case "policy":
      return `chain ${chain} drops ${name} by its policy, and no rule of its table accepts the port: let it accept the port, which Knockgate guards`;
    case "may":
      return `chain ${chain} may drop ${name}: its rules look at more than the port, such as where a packet comes from. If they drop packets of clients that knock, let it accept the port, which Knockgate guards`;
  }
}

/**
 * Whether our rules are in this table themselves, and our accept is final there (iptables(8), "TARGETS").
 */
function isOwn(table: string, policy: Policy): boolean {
  return backendOf(policy).finalTables(policy.scope).includes(table);
}

/** The first port of each protected range stands for the range. */
function listPorts(policy: Policy): readonly { readonly protocol: Protocol; readonly port: number }[] {
  return policy.gates.flatMap((gate) =>
    gate.protect.flatMap(readProtect).map(({ protocol, range }) => ({ protocol, port: range.first })),
  );
}
