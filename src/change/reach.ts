import { KnockgateError } from "../errors.js";
import { readAnswer } from "../knock/read-answer.js";
import { findGate } from "../policy/gate.js";
import { stepsToSend } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import type { Step } from "../policy/step.js";
import type { HostConnection, Route } from "../ssh/host.js";
import { pauseForNewHost, pauseIfUnreachable, retry } from "../ssh/retry.js";
import { listStepsBefore, type OtherGate } from "./behind.js";

/** How long and how often to dial, from `perDialTimeout` and `dialErrorLimit` of the connection. */
export interface Dialing {
  /** The host's SSH port, which a gate may protect. */
  readonly port: number;
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
 * The limit for every attempt of a round but the last: most of them fail, and must not each take the full dial timeout.
 */
const impatientMs = 4_000;

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
  const ways = orderWays(policies, isGated, dialing);
  const { perDialTimeoutMs, errorLimit, forgivesRefusal, log } = dialing;
  const roundMs = routes.length * ((ways.length - 1) * limitPatience(dialing) + perDialTimeoutMs);
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

/** Steps to send before a dial, and their description. */
interface Attempt {
  readonly steps: readonly Step[];
  readonly words: string;
}

async function tryWays(
  routes: readonly Route[],
  ways: readonly Attempt[],
  dialing: Dialing,
  note: (failure: string) => void,
): Promise<Reached> {
  let cause: KnockgateError | undefined;
  for (const route of routes) {
    for (const [index, { steps, words }] of ways.entries()) {
      const isLast = index === ways.length - 1;
      try {
        return await dial(route, steps, isLast ? dialing.perDialTimeoutMs : limitPatience(dialing));
      } catch (error) {
        if (!(error instanceof KnockgateError) || error.code !== "UNREACHABLE") throw error;
        cause = error;
        note(`${words}: ${error.clause}`);
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

function describeTries(ways: readonly Attempt[]): string {
  if (ways.every(({ steps }) => steps.length > 0)) return "after a knock";
  return ways.length > 1 ? "with or without a knock" : "without a knock";
}

/** A closed gate does not answer, so a host that refuses a connection is not behind one. */
function adviseGate({ behind = [] }: Dialing, last: string): string {
  if (behind.length > 0 || /ECONNREFUSED/.test(last)) return "";
  const end = last === "" || /[.?!]$/.test(last) ? "" : ".";
  return `${end} If a gate of another policy protects SSH, name that gate in \`behind\` (on the command line: \`--behind\`).`;
}

/** Sends the knock, if there is one, and then opens a fresh SSH connection at once. */
export async function dial(route: Route, steps: readonly Step[], timeoutMs: number): Promise<Reached> {
  await route.knock(steps);
  const startedMs = performance.now();
  const connection = await route.connect(timeoutMs);
  return { route, connection, dialMs: performance.now() - startedMs };
}

function limitPatience({ perDialTimeoutMs }: Dialing): number {
  return perDialTimeoutMs === 0 ? impatientMs : Math.min(impatientMs, perDialTimeoutMs);
}

function orderWays(
  policies: readonly Policy[],
  isGated: boolean,
  { port, behind = [] }: Dialing,
): readonly Attempt[] {
  const knocks = policies.flatMap((policy) => {
    const gate = findGate(policy, port);
    return gate === undefined ? [] : [stepsToSend(gate)];
  });
  const distinct = [...new Map(knocks.map((steps) => [JSON.stringify(steps), steps])).values()];
  const before = listStepsBefore(behind, port);
  const ways = distinct.map((steps, index) => {
    return { steps: [...before, ...steps], words: nameKnock(index, distinct.length) };
  });
  const plain = {
    steps: before,
    words: before.length === 0 ? "without a knock" : "with only the knock of another policy's gate",
  };
  return isGated ? [...ways, plain] : [plain, ...ways];
}

/** Names a knock for messages. Never shows its steps. */
function nameKnock(index: number, count: number): string {
  if (count === 1) return "with its knock";
  return index === 0
    ? "with the most likely knock"
    : `with another knock that it may expect (${index + 1} of ${count})`;
}
