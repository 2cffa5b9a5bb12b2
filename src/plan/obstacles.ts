import type { Policy } from "../policy/policy.js";
import type { Protocol } from "../policy/port.js";
import { readProtect } from "../policy/protect.js";
import { readNftablesRules } from "./nftables-rules.js";
import {
  type Course,
  type ForeignTable,
  findTranslation,
  followPacket,
  type Opening,
} from "./packet-path.js";
import { readXtablesRules } from "./xtables-rules.js";

/**
 * A port that opens for the knock, and stays closed all the same, because another chain of the host drops it: an accept
 * of ours never overrides a drop in another base chain (nft(8), "VERDICT STATEMENTS").
 */
export interface Obstacle {
  /** Family, table and chain: `inet filter input`. */
  readonly chain: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** `may`: it is dropped or let in by more than its port, which only the host's administrator can judge. */
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
 * Looks through all tables of a host but Knockgate's own for what would drop a packet to a protected port: in chains
 * that packets to the host meet, and for ports that a container engine publishes in those that packets through it meet.
 * It reads ports, states and verdicts, and follows jumps; what else a rule looks at makes a "may" of it.
 */
export function findObstacles(foreign: ForeignRules, policy: Policy): readonly Obstacle[] {
  const tables = readTables(foreign).filter(({ name }) => !name.split(" ")[1]?.startsWith("knockgate_"));
  return tables.flatMap((table) =>
    table.bases.flatMap((base) =>
      listPorts(policy).flatMap((opening): readonly Obstacle[] => {
        const packet = meets(base.hook, opening, tables, policy);
        if (packet === undefined || isOwn(table.name, policy)) return [];
        const course = followPacket(table, base, packet);
        const why = judge(course, base.hook);
        if (why === undefined) return [];
        const { protocol, port } = opening;
        // A base chain of what is forwarded is an engine's own; who drops there has a chain to look into.
        const decides = base.hook === "forward" ? course.where : base.name;
        const chain = why === "may" ? (course.mayDrop ?? base.name) : decides;
        return [{ chain: `${table.name} ${chain}`, protocol, port, why }];
      }),
    ),
  );
}

/** iptables itself knows the matches of its rules; nft lists of many nothing but the name. */
function readTables({ tables, xtables = "" }: ForeignRules): readonly ForeignTable[] {
  const asked = readXtablesRules(xtables);
  const names = new Set(asked.map(({ name }) => name));
  return [...readNftablesRules(tables).filter(({ name }) => !names.has(name)), ...asked];
}

/** The packet as a chain sees it: behind a translation it goes on to a container, and has the container's port. */
function meets(
  hook: string,
  opening: Opening,
  tables: readonly ForeignTable[],
  policy: Policy,
): Opening | undefined {
  if (hook === "prerouting" || hook === "ingress") return opening;
  if (policy.scope === "input") return hook === "input" ? opening : undefined;
  const led = tables.map((table) => findTranslation(table, opening)).find((port) => port !== undefined);
  if (led === undefined) return hook === "input" ? opening : undefined;
  return hook === "forward" ? { ...opening, port: led, publishedPort: opening.port } : undefined;
}

function judge({ end, by, mayPass, mayDrop }: Course, hook: string): Obstacle["why"] | undefined {
  if (mayDrop !== undefined && (end === "accept" || mayPass)) return "may";
  if (end === "accept") return undefined;
  // What may be forwarded is said by interfaces, and a container engine lets its own in by them.
  if (mayPass) return hook === "forward" ? undefined : "may";
  return by;
}

/** Says what stands in the way, and what to do. */
export function describeObstacle({ chain, protocol, port, why }: Obstacle): string {
  const name = `${protocol.toUpperCase()} port ${port}`;
  switch (why) {
    case "rule":
      return `chain ${chain} has a rule that drops ${name}: let it accept the port; Knockgate guards it`;
    case "policy":
      return `chain ${chain} drops by its policy, and no rule of its table accepts, ${name}: let it accept the port; Knockgate guards it`;
    case "may":
      return `chain ${chain} may drop ${name}: its rules look at more than the port, such as where a packet comes from. Where they drop who shall knock, let it accept the port; Knockgate guards it`;
  }
}

/** Our accept is final for all of iptables' table filter when it stands there itself (iptables(8), "TARGETS"). */
function isOwn(table: string, policy: Policy): boolean {
  const isIptablesFilter = table === "ip filter" || table === "ip6 filter";
  return isIptablesFilter && policy.backend === "iptables" && policy.scope === "input";
}

/** The first port of each protected range stands for the range. */
function listPorts(policy: Policy): readonly { readonly protocol: Protocol; readonly port: number }[] {
  return policy.gates.flatMap((gate) =>
    gate.protect.flatMap(readProtect).map(({ protocol, range }) => ({ protocol, port: range.first })),
  );
}
