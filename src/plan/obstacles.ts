import { z } from "zod";
import type { Policy } from "../policy/policy.js";
import { type Protocol, parsePortRange, protocols } from "../policy/port.js";
import { listEntries } from "./described.js";

/**
 * A port that opens for the knock, and stays closed all the same, because another chain of the host drops it: an accept
 * of ours never overrides a drop in another base chain (nft(8), "VERDICT STATEMENTS").
 */
export interface Obstacle {
  /** Family, table and chain: `inet filter input`. */
  readonly chain: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly why: "policy" | "rule";
}

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

/**
 * Looks through all tables of a host but Knockgate's own, as `nft -j list ruleset` lists them, for base chains of input
 * that would drop a protected port, where no rule of their table accepts it: by a rule that names it or that ends a
 * chain, or by their policy.
 * What is not as it expects it, in somebody else's table, is left out.
 * It reads ports and verdicts alone, so it can miss an obstacle, or see one that other matches make harmless.
 */
export function findObstacles(json: string, policy: Policy): readonly Obstacle[] {
  const entries = listEntries(json).flatMap((entry) => entrySchema.safeParse(entry).data ?? []);
  const rules = entries.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
  const chains = entries.flatMap(({ chain }) => (chain === undefined ? [] : [chain]));
  const bases = chains.filter((chain) => chain.hook === "input" && !isOwn(chain, policy));
  return bases.flatMap((base) => {
    const own = rules.filter((rule) => rule.family === base.family && rule.table === base.table);
    const name = `${base.family} ${base.table} ${base.name}`;
    return listPorts(policy).flatMap(({ protocol, port }): readonly Obstacle[] => {
      const about = own.filter((rule) => isAbout(rule.expr, protocol, port));
      const isAccepted = about.some((rule) => hasVerdict(rule.expr, ["accept"]));
      if (isAccepted) return [];
      const endsInDrop = own.some((rule) => rule.chain === base.name && dropsAll(rule.expr));
      if (endsInDrop || about.some((rule) => rule.expr.some(isDrop))) {
        return [{ chain: name, protocol, port, why: "rule" }];
      }
      return base.policy === "drop" ? [{ chain: name, protocol, port, why: "policy" }] : [];
    });
  });
}

/** Says what stands in the way, and what to do. */
export function describeObstacle({ chain, protocol, port, why }: Obstacle): string {
  const drops =
    why === "rule" ? "has a rule that drops" : "drops by its policy, and no rule of its table accepts,";
  return `chain ${chain} ${drops} ${protocol.toUpperCase()} port ${port}: let it accept the port; Knockgate guards it`;
}

/** Our accept is final for all of iptables' table filter when it stands there itself (iptables(8), "TARGETS"). */
function isOwn(
  { family, table }: { readonly family: string; readonly table: string },
  policy: Policy,
): boolean {
  if (table.startsWith("knockgate_")) return true;
  const isIptablesFilter = (family === "ip" || family === "ip6") && table === "filter";
  return isIptablesFilter && policy.backend === "iptables" && policy.scope === "input";
}

/** The first port of each protected range stands for the range. */
function listPorts(policy: Policy): readonly { readonly protocol: Protocol; readonly port: number }[] {
  return policy.gates.flatMap((gate) =>
    gate.protect.flatMap((entry) =>
      protocols.flatMap((protocol) => {
        const port = parsePortRange(entry[protocol] ?? "")?.first;
        return port === undefined ? [] : [{ protocol, port }];
      }),
    ),
  );
}

/** libnftables-json(5): a match on `tcp dport`, or on a transport header's `dport`, against a value, a set or a range. */
function isAbout(expr: readonly unknown[], protocol: "tcp" | "udp", port: number): boolean {
  return expr.some((part) => {
    const match = readField(part, "match");
    const payload = readField(readField(match, "left"), "payload");
    const isPort =
      readField(payload, "field") === "dport" &&
      [protocol, "th"].includes(`${readField(payload, "protocol")}`);
    return isPort && readField(match, "op") === "==" && holds(readField(match, "right"), port);
  });
}

/** A rule that asks for nothing at all: what ends a chain. Matches have many names, so all else counts as one. */
function dropsAll(expr: readonly unknown[]): boolean {
  return expr.some(isDrop) && expr.every((part) => isDrop(part) || hasVerdict([part], ["counter", "log"]));
}

/** iptables' REJECT is a target of its own. */
function isDrop(part: unknown): boolean {
  return hasVerdict([part], ["drop", "reject"]) || readField(readField(part, "xt"), "name") === "REJECT";
}

function holds(value: unknown, port: number): boolean {
  if (value === port) return true;
  const range = readField(value, "range");
  if (Array.isArray(range)) return Number(range[0]) <= port && port <= Number(range[1]);
  const set = readField(value, "set");
  return Array.isArray(set) && set.some((entry) => holds(entry, port));
}

function hasVerdict(expr: readonly unknown[], verdicts: readonly string[]): boolean {
  return expr.some(
    (part) => typeof part === "object" && part !== null && verdicts.some((verdict) => verdict in part),
  );
}

function readField(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
