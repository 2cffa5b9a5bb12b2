import { findServedSteps } from "../plan/listening.js";
import { isUnchanged, type Observed } from "../plan/observed.js";
import { describeObstacle, findObstacles } from "../plan/obstacles.js";
import type { Policy } from "../policy/schema.js";
import { redactPorts } from "../render/redact.js";

/** What will not stop a change, but may keep a gate from working. */
export function listWarnings(observed: Observed, policy: Policy): readonly string[] {
  const served = findServedSteps(observed.sockets, policy).map(({ gate, position }) => {
    return `step ${position} of gate ${gate} is on a port where a service of the host listens: choose another port`;
  });
  return [...findObstacles(observed.others, policy).map(describeObstacle), ...served];
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
  const present =
    observed.confirmed === undefined
      ? "no confirmed ruleset"
      : isUnchanged(observed)
        ? "the confirmed ruleset is loaded"
        : "the loaded ruleset is not the confirmed one";
  return [...facts, present, ...undone].join(", ");
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
