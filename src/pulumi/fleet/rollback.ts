import { changeHost } from "../../change/change.js";
import { withProvingRoutes } from "../../change/open-routes.js";
import { removeFromHost } from "../../change/remove.js";
import { KnockgateError } from "../../errors.js";
import { makeSemaphore } from "../../ssh/semaphore.js";
import { logLine, withName } from "../log.js";
import type { Properties } from "../properties.js";
import { nameResource } from "../resource-name.js";
import { listPossible, makeRequest, makeTarget } from "../ruleset/record-change.js";
import { expectStored } from "../ruleset/state.js";
import type { HostResult } from "./wave-summary.js";

/**
 * The id of a host's `Ruleset`, and the part of its state that says what the host has and had: a `StoredState`. Secret.
 */
export interface StoredRuleset {
  readonly id: string;
  readonly state: Properties;
}

/** Hosts handled at the same time. Each takes one or two SSH connections. */
const mostAtOnce = 8;

/** Restores what a host had before its last change, which succeeded. Never throws. */
export function putBack(host: string, { id, state: raw }: StoredRuleset): Promise<HostResult> {
  return measureHost(host, raw, "undone", "putting it back failed: ", async () => {
    const { wanted, state } = expectStored(raw);
    const possible = listPossible(state, wanted.policy);
    const [, had] = possible;
    await withProvingRoutes(makeTarget(wanted), possible, logLine, async (context) => {
      if (had === undefined) return removeFromHost(wanted.policy, id, context);
      const request = { ...makeRequest(id, wanted), health: undefined };
      await changeHost({ ...request, policy: had, formerPolicies: [wanted.policy] }, context);
    });
  });
}

/** Applies a ruleset again that was undone on a host and that the host's state still has. Never throws. */
export function applyAgain(host: string, { id, state: raw }: StoredRuleset): Promise<HostResult> {
  return measureHost(host, raw, "changed", "", async () => {
    const { wanted, state } = expectStored(raw);
    const formerPolicies = listPossible(state, wanted.policy).slice(1);
    const policies = [...formerPolicies, wanted.policy];
    await withProvingRoutes(makeTarget(wanted), policies, logLine, async (context) => {
      await changeHost({ ...makeRequest(id, wanted), formerPolicies }, context);
    });
  });
}

/** Runs `use` for each host, several at the same time. The results have the order of the hosts. */
export async function mapHosts<T, R>(
  hosts: readonly T[],
  use: (host: T) => Promise<R>,
): Promise<readonly R[]> {
  const semaphore = makeSemaphore(mostAtOnce);
  return Promise.all(
    hosts.map(async (host) => {
      const end = await semaphore.acquire();
      return use(host).finally(end);
    }),
  );
}

async function measureHost(
  host: string,
  raw: Properties,
  result: "changed" | "undone",
  words: string,
  act: () => Promise<void>,
): Promise<HostResult> {
  const startedMs = performance.now();
  const measure = () => Math.round((performance.now() - startedMs) / 100) / 10;
  try {
    await withName(nameResource(raw["origin"]), act);
    return { host, result, seconds: measure() };
  } catch (cause) {
    const why = cause instanceof KnockgateError ? cause.message : String(cause);
    return { host, result: "failed", seconds: measure(), failure: `${words}${why}` };
  }
}
