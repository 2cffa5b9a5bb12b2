import { KnockgateError } from "../errors.js";
import { type Rollout, readRollout } from "../plan/waves.js";
import { type Finding, formatFindings } from "../policy/finding.js";
import type { KnockFleetArgs } from "./fleet-args.js";

export interface FleetPlan {
  readonly rollout: Rollout;
  /** The hosts' names, wave by wave. */
  readonly waves: readonly (readonly string[])[];
}

/**
 * Reads what a fleet needs to know before anything of it is registered.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` with all findings at once.
 */
export function planFleet(name: string, args: KnockFleetArgs): FleetPlan {
  const hosts = Object.keys(args.hosts);
  const rollout = readRollout(args.rollout, hosts);
  const findings = [
    ...findWrongHosts(hosts),
    ...findWrongPolicies(args),
    ...(rollout.kind === "wrong" ? rollout.findings : []),
  ];
  if (findings.length === 0 && rollout.kind === "rollout") return rollout;
  const message = `fleet ${name} is not right; nothing was contacted:\n${formatFindings(findings)}`;
  throw new KnockgateError("ARGUMENTS_INVALID", message);
}

function findWrongHosts(hosts: readonly string[]): readonly Finding[] {
  if (hosts.length === 0) {
    const fix = "Name at least one, or leave the fleet out.";
    return [{ path: "hosts", rule: "fleet-hosts", message: "has no host.", fix }];
  }
  return hosts.flatMap((host) => {
    if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(host)) return [];
    const message = "is no name for a host: it becomes part of a resource's name.";
    return [
      {
        path: `hosts[${JSON.stringify(host)}]`,
        rule: "fleet-hosts",
        message,
        fix: "Use letters, digits, ., _ and -.",
      },
    ];
  });
}

function findWrongPolicies({ hosts, policy, policies }: KnockFleetArgs): readonly Finding[] {
  if ((policy === undefined) === (policies === undefined)) {
    const message = `is ${policy === undefined ? "missing" : "given beside policies"}.`;
    return [
      { path: "policy", rule: "fleet-policy", message, fix: "Give either policy, or policies by group." },
    ];
  }
  const groups = Object.keys(policies ?? {});
  return Object.entries(hosts).flatMap(([name, { group }]) => {
    const path = `hosts.${name}.group`;
    if (policies === undefined && group !== undefined) {
      const fix = "Remove it, or give policies by group.";
      return [{ path, rule: "fleet-group", message: "says nothing: all hosts have one policy.", fix }];
    }
    if (policies === undefined || groups.includes(group ?? "")) return [];
    const message = group === undefined ? "is missing." : "is no group that has a policy.";
    return [{ path, rule: "fleet-group", message, fix: `Set it to one of: ${groups.join(", ")}.` }];
  });
}
