import { KnockgateError } from "../errors.js";
import { describeDrift, makeRedaction } from "../plan/describe-drift.js";
import { assessDrift } from "../plan/drift.js";
import { listLateHandshakes } from "../plan/late-handshakes.js";
import { findServedSteps } from "../plan/listening.js";
import { describeNeighbours } from "../plan/neighbours.js";
import { isUnchanged, type Observed } from "../plan/observed.js";
import { describeObstacle, type Obstacle } from "../plan/obstacles.js";
import { listSharedPorts } from "../plan/shared-ports.js";
import { listUntracked } from "../plan/untracked.js";
import { digestText } from "../policy/digest.js";
import type { Policy } from "../policy/policy.js";
import { redactPorts } from "../render/redact.js";
import { renderPolicy } from "../render/render.js";
import type { ChangeRequest } from "./change.js";
import { nameBackend } from "./program.js";
import { isSamePlace } from "./replaced.js";

/** What will not stop a change, but may keep a gate from working. */
export function listWarnings(
  observed: Observed,
  policy: Policy,
  obstacles: readonly Obstacle[],
): readonly string[] {
  const served = findServedSteps(observed.sockets, policy).map(({ gate, position }) => {
    return `step ${position} of gate ${gate} is on a port where a service of the host listens: choose another port`;
  });
  const unlisted = (observed.unlisted ?? []).map((what) => {
    return `${what} could not be listed by the host's nft: nobody knows whether the protected ports are dropped there`;
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

/** What of the host is not as its last change left it, and what may keep a gate from working: a line each. */
export function listFindings(
  observed: Observed,
  request: ChangeRequest,
  obstacles: readonly Obstacle[],
): readonly string[] {
  return [
    ...listDrift(observed, request).map((line) => `drift: ${line}`),
    ...listWarnings(observed, request.policy, obstacles).map((line) => `warning: ${line}`),
  ];
}

/** Less what other lines say: an obstacle is a warning, and the undo of a change is said with the facts. */
function listDrift(observed: Observed, request: ChangeRequest): readonly string[] {
  const { policy, formerPolicies: [formerPolicy] = [], formerDigest, owner } = request;
  // What another name or backend has there was not looked at.
  if (formerPolicy === undefined || !isSamePlace(formerPolicy, policy)) return [];
  const digest = formerDigest || digestText(renderPolicy(formerPolicy));
  const found = assessDrift(observed, { policy: formerPolicy, digest, owner });
  const drift = found.filter(({ kind }) => kind !== "undone");
  const redact = makeRedaction(drift, formerPolicy);
  return describeDrift(drift, formerPolicy, (text) => redactPorts(redact(text), policy));
}

/** A gate that was proven in vain where another firewall drops its ports: says which, too. */
export function blameObstacles(cause: unknown, obstacles: readonly Obstacle[]): unknown {
  if (!(cause instanceof KnockgateError) || cause.code !== "NOT_CONFIRMED") return cause;
  if (obstacles.length === 0) return cause;
  const words = `${cause.summary}${/[.?!]$/.test(cause.summary) ? "" : "."} In front: ${obstacles.map(describeObstacle).join("; ")}`;
  return new KnockgateError(cause.code, words, { cause });
}

const inits = { systemd: "systemd", openrc: "OpenRC", other: "no systemd or OpenRC" } as const;

/** What was found on a host, in one line. */
export function describeObserved(observed: Observed, policy: Policy): string {
  const tool = observed.backend === "nftables" ? `nft ${observed.nftVersion}` : observed.iptablesVersion;
  const facts = [tool, inits[observed.init]];
  const undone =
    observed.undone === undefined
      ? []
      : [`the last change was undone: ${redactPorts(observed.undone, policy)}`];
  const present = observed.isUnlisted
    ? "what is loaded could not be listed"
    : observed.confirmed === undefined
      ? "no confirmed ruleset"
      : isElsewhere(observed, policy)
        ? "the confirmed ruleset is another backend's"
        : isUnchanged(observed)
          ? "the confirmed ruleset is loaded"
          : "the loaded ruleset is not the confirmed one";
  return [...facts, present, ...undone].join(", ");
}

function isElsewhere({ confirmed }: Observed, policy: Policy): boolean {
  return confirmed?.keptBy !== undefined && confirmed.keptBy !== nameBackend(policy);
}

/** What the host's confirmation means. */
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
