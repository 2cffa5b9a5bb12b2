import { KnockgateError } from "../errors.js";
import { findGate } from "../policy/gate.js";
import type { Policy } from "../policy/policy.js";
import type { Step } from "../policy/step.js";
import type { HostConnection, Route } from "../transport/host.js";
import { dialPatiently } from "../transport/patience.js";
import { readAnswer } from "../transport/read-answer.js";
import { listStepsBefore, type OtherGate } from "./behind.js";

/** How long and how often to dial, as `perDialTimeout` and `dialErrorLimit` of the connection say. */
export interface Dialing {
  /** The SSH port, as the gates know it. */
  readonly port: number;
  /** 0: as long as it takes. */
  readonly perDialTimeoutMs: number;
  /** How many failed rounds are forgiven; -1: all are. */
  readonly errorLimit: number;
  /** Gates of other policies on the same host: the knocks of those that SSH is behind go first, each time. Default: none. */
  readonly behind?: readonly OtherGate[];
  /** Whether a refused login is tried again, too: only where the machine is new. Default: false. */
  readonly forgivesRefusal?: boolean;
  /** Is told of each round that failed; without a secret. Default: nobody is. */
  readonly log?: (line: string) => void;
}

export interface Reached {
  readonly route: Route;
  readonly connection: HostConnection;
  /** How long the SSH handshake took. */
  readonly dialMs: number;
}

/** A try that may be in vain must not cost what the last, patient one may. */
const impatientMs = 4_000;

/**
 * Opens an SSH connection, through the gate if there is one: with the knock that the host should want, then with the
 * others that it could want, and without one.
 *
 * @param policies those that the host may have now, likeliest first
 * @throws KnockgateError `UNREACHABLE`, or at once what no further try could mend
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
    failures.length === 0 ? error.summary : `no SSH connection came about: ${failures.join("; ")}`;
  return dialPatiently({ errorLimit, tryMs, forgivesRefusal, log, describe }, () => {
    failures = [];
    return tryWays(routes, ways, dialing, (failure) => failures.push(failure));
  });
}

/** What to send first, and in words what that is. */
interface Way {
  readonly steps: readonly Step[];
  readonly words: string;
}

async function tryWays(
  routes: readonly Route[],
  ways: readonly Way[],
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
        // No gate is in the way there, and nothing listens: another address may.
        if (readAnswer(error) === "refused") break;
      }
    }
  }
  const names = routes.map((route) => route.name).join(", ");
  const last = cause === undefined ? "" : ` The last try: ${cause.summary}`;
  const message = `${names}: no SSH connection came about ${describeTries(ways)}.${last}${adviseGate(dialing, last)}`;
  throw new KnockgateError("UNREACHABLE", message, { cause });
}

function describeTries(ways: readonly Way[]): string {
  if (ways.every(({ steps }) => steps.length > 0)) return "after a knock";
  return ways.length > 1 ? "with or without a knock" : "without a knock";
}

/** A gate does not answer; whoever refuses a connection is behind none. */
function adviseGate({ behind = [] }: Dialing, last: string): string {
  if (behind.length > 0 || /ECONNREFUSED/.test(last)) return "";
  const end = last === "" || /[.?!]$/.test(last) ? "" : ".";
  return `${end} If a gate of another policy stands before SSH, name it by \`behind\` (on the command line: \`--behind\`).`;
}

/** Sends the knock, if there is one, and opens a fresh SSH connection right after. */
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
): readonly Way[] {
  const knocks = policies.flatMap((policy) => {
    const gate = findGate(policy, port);
    return gate === undefined ? [] : [gate.knock.steps];
  });
  const distinct = [...new Map(knocks.map((steps) => [JSON.stringify(steps), steps])).values()];
  const before = listStepsBefore(behind, port);
  const ways = distinct.map((steps, index) => {
    return { steps: [...before, ...steps], words: nameKnock(index, distinct.length) };
  });
  const plain = {
    steps: before,
    words: before.length === 0 ? "without a knock" : "with no knock but that of another policy's gate",
  };
  return isGated ? [...ways, plain] : [plain, ...ways];
}

/** Which knock it is, for messages: never what it is made of. */
function nameKnock(index: number, count: number): string {
  if (count === 1) return "with its knock";
  return index === 0
    ? "with the likeliest knock"
    : `with another knock that it may want (${index + 1} of ${count})`;
}
