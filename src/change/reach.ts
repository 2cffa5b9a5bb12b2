import { KnockgateError } from "../errors.js";
import type { ClientKnock } from "../knock/clients/client-knock.js";
import type { KnockStep } from "../knock/packet.js";
import { readAnswer } from "../knock/read-answer.js";
import { findGate } from "../policy/gate.js";
import type { Policy } from "../policy/policy.js";
import type { HostConnection, Route } from "../ssh/host.js";
import { limitDialMs, pauseForNewHost, pauseIfUnreachable, retry } from "../ssh/retry.js";
import { listKnocksBefore, type OtherGate } from "./behind.js";
import { findKnock, makeKnocker } from "./knocker.js";
import type { Purse } from "./purse.js";

/** How long and how often to dial, from `perDialTimeout` and `dialErrorLimit` of the connection. */
export interface Dialing {
  /** The host's name or address, as the connection has it. It is a part of each token. */
  readonly host: string;
  /** The host's SSH port, which a gate may protect. */
  readonly port: number;
  /** Hands out the tokens of knocks. */
  readonly purse: Purse;
  /** 0 means no limit. */
  readonly perDialTimeoutMs: number;
  /** Failed rounds allowed before giving up. -1 means no limit. */
  readonly errorLimit: number;
  /**
   * Gates of other policies on the same host. The knocks of those that protect SSH are sent first, each time. Default:
   * none.
   */
  readonly behind?: readonly OtherGate[];
  /** Whether to retry a refused login: only for a new machine. Default: false. */
  readonly forgivesRefusal?: boolean;
  /** Is told of each failed round, without a secret. Default: nothing is logged. */
  readonly log?: (line: string) => void;
}

export interface Reached {
  readonly route: Route;
  readonly connection: HostConnection;
  /** How long the SSH handshake took. */
  readonly dialMs: number;
}

/**
 * Opens an SSH connection. If a gate protects SSH, it tries the likeliest knock, then the other possible knocks, then
 * none of them.
 *
 * @param policies the policies that the host may have now, likeliest first
 * @param isGated false: the first attempt is made without their knocks
 * @throws KnockgateError `UNREACHABLE` when all attempts failed; any other error at once, because another attempt could
 *   not help
 */
export async function reachHost(
  routes: readonly Route[],
  policies: readonly Policy[],
  isGated: boolean,
  dialing: Dialing,
): Promise<Reached> {
  const ways = listWays(policies, isGated, dialing);
  const { perDialTimeoutMs, errorLimit, forgivesRefusal, log } = dialing;
  const roundMs =
    routes.length * ways.reduce((sum, way) => sum + limitDialMs(way.isPatient, perDialTimeoutMs), 0);
  const tryMs = perDialTimeoutMs === 0 ? 0 : roundMs;
  let failures: string[] = [];
  const describe = (error: KnockgateError) =>
    failures.length === 0 ? error.clause : `no SSH connection was made: ${failures.join("; ")}`;
  const choosePause = forgivesRefusal ? pauseForNewHost : pauseIfUnreachable;
  return retry({ errorLimit, tryMs, choosePause, log, describe }, () => {
    failures = [];
    return tryWays(routes, ways, dialing, (failure) => failures.push(failure));
  });
}

/** What is sent before a dial, and its description. */
interface Way {
  readonly knocks: readonly ClientKnock[];
  readonly words: string;
  /** Whether the dial may take its whole time. */
  readonly isPatient: boolean;
}

async function tryWays(
  routes: readonly Route[],
  ways: readonly Way[],
  dialing: Dialing,
  note: (failure: string) => void,
): Promise<Reached> {
  let cause: KnockgateError | undefined;
  for (const route of routes) {
    // Tokens are made for each route and round: the tries of one way then go from slot to slot.
    const knockers = new Map(
      ways.map(({ knocks }) => [nameKnocks(knocks), makeKnocker(knocks, dialing.purse)]),
    );
    for (const way of ways) {
      const knocker = knockers.get(nameKnocks(way.knocks));
      try {
        const reached = await dial(
          route,
          knocker?.next() ?? [],
          limitDialMs(way.isPatient, dialing.perDialTimeoutMs),
        );
        knocker?.succeed();
        return reached;
      } catch (error) {
        if (!(error instanceof KnockgateError) || error.code !== "UNREACHABLE") throw error;
        cause = error;
        note(`${way.words}: ${error.clause}`);
        // A refusal means that no gate drops the port there, and that nothing listens. Another address may answer.
        if (readAnswer(error) === "refused") break;
      }
    }
  }
  const names = routes.map((route) => route.name).join(", ");
  const last = cause === undefined ? "" : ` The last try: ${cause.summary}`;
  const message = `${names}: no SSH connection was made ${describeTries(ways)}.${last}${adviseGate(dialing, last)}`;
  throw new KnockgateError("UNREACHABLE", message, { cause });
}

function describeTries(ways: readonly Way[]): string {
  if (ways.every(({ knocks }) => knocks.length > 0)) return "after a knock";
  return ways.length > 1 ? "with or without a knock" : "without a knock";
}

/** A closed gate does not answer, so a host that refuses a connection is not behind one. */
function adviseGate({ behind = [] }: Dialing, last: string): string {
  if (behind.length > 0 || /ECONNREFUSED/.test(last)) return "";
  const end = last === "" || /[.?!]$/.test(last) ? "" : ".";
  return `${end} If a gate of another policy protects SSH, name that gate in \`behind\` (on the command line: \`--behind\`).`;
}

/** Sends the knock, if there is one, and then opens a fresh SSH connection at once. */
export async function dial(route: Route, steps: readonly KnockStep[], timeoutMs: number): Promise<Reached> {
  await route.knock(steps);
  const startedMs = performance.now();
  const connection = await route.connect(timeoutMs);
  return { route, connection, dialMs: performance.now() - startedMs };
}

/** Lists what to try in a round, in order. A way by tokens is tried several times, and the tries of two ways alternate. */
function listWays(
  policies: readonly Policy[],
  isGated: boolean,
  { host, port, purse, behind = [] }: Dialing,
): readonly Way[] {
  const found = policies.flatMap((policy) => {
    const gate = findGate(policy, port);
    return gate === undefined ? [] : [{ knock: findKnock(policy, gate, host), gate }];
  });
  const distinct = [...new Map(found.map((one) => [nameKnocks([one.knock]), one])).values()];
  const before = listKnocksBefore(behind, port);
  const rounds = distinct.flatMap(({ knock, gate }, index) => {
    const knocks = [...before, knock];
    const { tries } = makeKnocker(knocks, purse);
    return Array.from({ length: tries }, (_, turn) => {
      // The patient dial that comes last finds no open door where each opening lets in one connection.
      const isPatient = gate.singleConnection && turn === tries - 1;
      return { turn, way: { knocks, words: nameKnock(index, distinct.length), isPatient } };
    });
  });
  const ways = rounds.sort((one, other) => one.turn - other.turn).map(({ way }) => way);
  const plain = {
    knocks: before,
    words: before.length === 0 ? "without a knock" : "with only the knock of another policy's gate",
    isPatient: false,
  };
  const all = isGated ? [...ways, plain] : [plain, ...ways];
  return all.map((way, index) => (index === all.length - 1 ? { ...way, isPatient: true } : way));
}

/** Secret. The same for knocks that are the same. */
function nameKnocks(knocks: readonly ClientKnock[]): string {
  return JSON.stringify(knocks);
}

/** Names a knock for messages. Never shows its steps. */
function nameKnock(index: number, count: number): string {
  if (count === 1) return "with its knock";
  return index === 0
    ? "with the most likely knock"
    : `with another knock that it may expect (${index + 1} of ${count})`;
}
