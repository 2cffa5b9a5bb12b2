import { backendOf, nameOnHost } from "../backends/backends.js";
import { redactPorts } from "../backends/redact.js";
import { renderPolicy } from "../backends/render.js";
import { KnockgateError } from "../errors.js";
import { describeDrift, makeRedaction } from "../host/describe-drift.js";
import { assessDrift } from "../host/drift.js";
import { listLateHandshakes } from "../host/late-handshakes.js";
import { findServedSteps } from "../host/listening.js";
import { describeNeighbours } from "../host/neighbours.js";
import { isUnchanged, type Observed } from "../host/observed.js";
import { describeObstacle, type Obstacle } from "../host/other-rules/obstacles.js";
import { listUntracked } from "../host/other-rules/untracked.js";
import { listSharedPorts } from "../host/shared-ports.js";
import { digestText } from "../policy/digest.js";
import type { Policy } from "../policy/policy.js";
import { isSamePlace } from "./replaced.js";
import type { ChangeRequest } from "./request.js";

/** Lists what does not stop a change, but may keep a gate from working. */
export function hostWarnings(
  observed: Observed,
  policy: Policy,
  obstacles: readonly Obstacle[],
): readonly string[] {
  const served = findServedSteps(observed.sockets, policy).map(({ gate, position }) => {
    return `step ${position} of gate ${gate} is on a port where a service of the host listens: choose another port`;
  });
  const unlisted = (observed.unlisted ?? []).map((what) => {
    return `the host's nft could not list ${what}: it is not known whether a rule there drops packets to the protected ports`;
  });
  return [
    ...obstacles.map(describeObstacle),
    ...listSharedPorts(observed, policy),
    ...listUntracked(observed, policy),
    ...listLateHandshakes(observed, policy),
    ...served,
    ...unlisted,
    ...describeNeighbours(observed, policy),
  ];
}

/**
 * Lists, a line each, where the host differs from its last change, and what may keep a gate from working.
 *
 * @param host the name by which the deployer reaches it
 */
export function describeDifferences(
  observed: Observed,
  request: ChangeRequest,
  obstacles: readonly Obstacle[],
  host: string,
): readonly string[] {
  return [
    ...listDrift(observed, request, host).map((line) => `drift: ${line}`),
    ...hostWarnings(observed, request.policy, obstacles).map((line) => `warning: ${line}`),
  ];
}

/** Leaves out an undone change: `describeObserved` reports it. An obstacle is a warning, not drift. */
function listDrift(observed: Observed, request: ChangeRequest, host: string): readonly string[] {
  const { policy, formerPolicies: [formerPolicy] = [], formerDigest, owner } = request;
  // The host was observed under this policy's name and backend only.
  if (formerPolicy === undefined || !isSamePlace(formerPolicy, policy)) return [];
  const digest = formerDigest || digestText(renderPolicy(formerPolicy));
  const found = assessDrift(observed, { policy: formerPolicy, host, digest, owner });
  const drift = found.filter(({ kind }) => kind !== "undone");
  const redact = makeRedaction(drift, formerPolicy);
  return describeDrift(drift, formerPolicy, (text) => redactPorts(redact(text), policy));
}

/** Adds the rules that drop protected ports to the error of a failed proof. */
export function blameObstacles(cause: unknown, obstacles: readonly Obstacle[]): unknown {
  if (!(cause instanceof KnockgateError) || cause.code !== "NOT_CONFIRMED") return cause;
  if (obstacles.length === 0) return cause;
  const words = `${cause.summary}${/[.?!]$/.test(cause.summary) ? "" : "."} Blocked by: ${obstacles.map(describeObstacle).join("; ")}`;
  return new KnockgateError(cause.code, words, { cause });
}

const inits = { systemd: "systemd", openrc: "OpenRC", other: "no systemd or OpenRC" } as const;

/** Describes in one line what was observed on a host. */
export function describeObserved(observed: Observed, policy: Policy): string {
  const facts = [backendOf(observed).describeTool(observed), inits[observed.init]];
  const undone =
    observed.undone === undefined
      ? []
      : [`the last change was undone: ${redactPorts(observed.undone, policy)}`];
  const present = observed.isUnlisted
    ? "what is loaded could not be listed"
    : observed.confirmed === undefined
      ? "no confirmed ruleset"
      : isElsewhere(observed, policy)
        ? "the confirmed ruleset belongs to another backend"
        : isUnchanged(observed)
          ? "the confirmed ruleset is loaded"
          : "the loaded ruleset is not the confirmed one";
  return [...facts, present, ...undone].join(", ");
}

function isElsewhere({ confirmed }: Observed, policy: Policy): boolean {
  return confirmed?.keptBy !== undefined && confirmed.keptBy !== nameOnHost(policy);
}

/** Says what the host's confirmation means. */
export function describeConfirmed(observed: Observed): string {
  const current = "the ruleset is the host's current one";
  switch (observed.init) {
    case "systemd":
      return `${current}, and is loaded at boot by a systemd unit`;
    case "openrc":
      return `${current}, and is loaded at boot by an OpenRC service`;
    case "other":
      return `${current}; this host has neither systemd nor OpenRC, so nothing loads it at boot until you add the line that docs/boot.md names`;
  }
}
