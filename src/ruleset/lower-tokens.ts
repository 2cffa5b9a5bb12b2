import { type Carrier, sameCarrier } from "../policy/carrier.js";
import { isTokenGate, type TokenGate } from "../policy/knock.js";
import type { User } from "../policy/policy.js";
import type { PlacedGate, PlacedPolicy, PolicyPath } from "../policy/policy-path.js";
import { mergePrefixes, readPrefixes } from "../policy/prefix.js";
import { countSlots, labelTokens } from "../policy/token.js";
import { listUsersOf } from "../policy/user.js";
import type { Abilities } from "./abilities.js";
import type { Begin } from "./begin.js";
import { lowerEvent } from "./lower-event.js";
import { decide } from "./make-rule.js";
import type { Chain, Counter, Effect, Match, Paths, Rule, TokenSet, TokenUse } from "./ruleset.js";
import { openSet, tokenSet, userSet } from "./set-names.js";

/** The tokens of all gates, and the rules that bring packets to them. */
export interface LoweredTokens {
  readonly sets: readonly TokenSet[];
  readonly counters: readonly Counter[];
  /** For each carrier: the rule that finds a right token by one look-up. */
  readonly begins: readonly Begin[];
  readonly chains: readonly Chain[];
}

/** A gate and a user whose tokens open it. */
interface Holder {
  readonly gate: PlacedGate & TokenGate;
  readonly user: User;
  readonly path: PolicyPath;
  readonly set: string;
}

/** The least size of the set of all tokens. Small changes to the users then keep the set. */
const leastSize = 16_384;

/** The kernel counts an ended token until it has tidied the set up, which a busy host does late. */
const spareSlots = 16;

/**
 * Lowers tokens to two look-ups. The first one finds the token among those of all users, so a wrong packet meets no
 * other rule and leaves no trace. The second one finds out whose it is. The rule that takes a token takes it out of both
 * sets. A full set of open doors ends that rule first, so such a token stays good.
 */
export function lowerTokens(policy: PlacedPolicy, { hasTokens }: Abilities): LoweredTokens {
  const gates = hasTokens ? policy.gates.filter(isTokenGate) : [];
  const holders = gates.flatMap((gate) => listHolders(policy, gate));
  if (holders.length === 0) return { sets: [], counters: [], begins: [], chains: [] };
  const size = countSlots(policy.tokens) + spareSlots;
  const sizeOfAll = roundUp(holders.length * size);
  const all: TokenSet = {
    name: tokenSet(sizeOfAll),
    from: ["tokens", ...gates.map(({ paths }) => paths.token)],
    size: sizeOfAll,
  };
  const carriers = gates
    .map(({ knock }) => knock.carrier)
    .filter((carrier, index, list) => list.findIndex((one) => sameCarrier(one, carrier)) === index);
  return {
    sets: [
      all,
      ...holders.map(
        (holder): TokenSet => ({
          name: holder.set,
          from: [holder.gate.paths.token, holder.path],
          owner: { gate: holder.gate.name, user: holder.user.name, key: holder.user.key },
          size,
        }),
      ),
    ],
    counters: holders.map(({ gate, user, path }) => ({
      name: userCounter(gate.name, user.name),
      from: [gate.paths.token, path],
    })),
    begins: carriers.map((carrier) => lowerBegin(carrier, gates, all.name)),
    chains: carriers.map((carrier) => {
      const own = holders.filter(({ gate }) => sameCarrier(gate.knock.carrier, carrier));
      const rules = own.flatMap((holder) => [
        ...lowerUse(policy, holder, all.name, "open"),
        ...lowerUse(policy, holder, all.name, "close"),
      ]);
      return { name: chainOf(carrier), from: listPaths(carrier, gates), rules };
    }),
  };
}

/** Names the counter of the doors that a user opened. */
function userCounter(gate: string, user: string): string {
  return `${gate}_user_${user}`;
}

function listHolders(policy: PlacedPolicy, gate: PlacedGate & TokenGate): readonly Holder[] {
  return listUsersOf(policy, gate.name).map((user) => ({
    gate,
    user,
    path: `users[${policy.users.indexOf(user)}]`,
    set: userSet(gate.name, user.name, labelTokens(user.key, policy.tokens)),
  }));
}

/** The next power of two. */
function roundUp(count: number): number {
  return Math.max(leastSize, 2 ** Math.ceil(Math.log2(count)));
}

function lowerBegin(carrier: Carrier, gates: readonly (PlacedGate & TokenGate)[], set: string): Begin {
  const match: Match = { kind: "token", carrier, set };
  const from = listPaths(carrier, gates);
  const rule = decide(from, [match], { kind: "goto", chain: chainOf(carrier) });
  return { kind: carrier.kind, from, match, rule };
}

function listPaths(carrier: Carrier, gates: readonly (PlacedGate & TokenGate)[]): Paths {
  return gates.filter(({ knock }) => sameCarrier(knock.carrier, carrier)).map(({ paths }) => paths.token);
}

function chainOf(carrier: Carrier): string {
  switch (carrier.kind) {
    case "udp":
      return `tokens_udp_${carrier.port}`;
    case "icmpEcho":
      return "tokens_echo";
  }
}

/** A user's token opens or closes the door for its source, and is spent. */
function lowerUse(
  policy: PlacedPolicy,
  { gate, user, path, set }: Holder,
  all: string,
  use: TokenUse,
): readonly Rule[] {
  const { carrier } = gate.knock;
  const door = openSet(gate.name);
  const prefixes = mergePrefixes(readPrefixes(user.from ?? []));
  const rule: Rule = {
    comment: `${gate.name}: ${user.name} ${use}s`,
    from: [gate.paths.token, path],
    matches: [
      { kind: "token", carrier, set, use },
      ...(prefixes.length === 0 ? [] : [{ kind: "fromPrefixes", prefixes } as const]),
      { kind: "notLinkLocal" },
    ],
    effects: [
      use === "open"
        ? { kind: "addSource", set: door, timeoutFrom: [gate.paths.openFor] }
        : { kind: "deleteSource", set: door },
      ...[set, all].map((spent): Effect => ({ kind: "deleteToken", carrier, set: spent })),
      ...(use === "open" ? [{ kind: "count", counter: userCounter(gate.name, user.name) } as const] : []),
    ],
    verdict: { kind: "return" },
  };
  return use === "open" ? lowerEvent(policy, gate.name, "opened", rule, user.name) : [rule];
}
