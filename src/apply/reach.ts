import { KnockgateError } from "../errors.js";
import { findGate } from "../policy/gate.js";
import type { Policy, Step } from "../policy/schema.js";
import type { HostConnection, Route } from "../transport/host.js";
import { dialPatiently } from "../transport/patience.js";
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
  return dialPatiently(dialing.errorLimit, () => tryWays(routes, ways, dialing));
}

async function tryWays(
  routes: readonly Route[],
  ways: readonly (readonly Step[])[],
  dialing: Dialing,
): Promise<Reached> {
  let cause: KnockgateError | undefined;
  for (const route of routes) {
    for (const [index, steps] of ways.entries()) {
      const isLast = index === ways.length - 1;
      try {
        return await dial(route, steps, isLast ? dialing.perDialTimeoutMs : limitPatience(dialing));
      } catch (error) {
        if (!(error instanceof KnockgateError) || error.code !== "UNREACHABLE") throw error;
        cause = error;
      }
    }
  }
  const names = routes.map((route) => route.name).join(", ");
  const last = cause === undefined ? "" : ` The last try: ${cause.summary}`;
  const message = `${names}: no SSH connection came about ${describeTries(ways)}.${last}${adviseGate(dialing, last)}`;
  throw new KnockgateError("UNREACHABLE", message, { cause });
}

function describeTries(ways: readonly (readonly Step[])[]): string {
  if (ways.every((steps) => steps.length > 0)) return "after a knock";
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
): readonly (readonly Step[])[] {
  const knocks = policies.flatMap((policy) => {
    const gate = findGate(policy, port);
    return gate === undefined ? [] : [gate.knock.steps];
  });
  const distinct = [...new Map(knocks.map((steps) => [JSON.stringify(steps), steps])).values()];
  const before = listStepsBefore(behind, port);
  const knocked = distinct.map((steps) => [...before, ...steps]);
  return isGated ? [...knocked, before] : [before, ...knocked];
}
