import { KnockgateError } from "../../errors.js";
import { type Finding, formatFindings } from "../../policy/finding.js";
import { describeUnknown } from "../../policy/unknown-field.js";
import { isRecord, listGiven } from "../given.js";
import { argumentWords } from "../ruleset/check-inputs.js";
import type { KnockFleetArgs } from "./args.js";
import { type Rollout, readRollout } from "./rollout.js";

export interface FleetPlan {
  readonly rollout: Rollout;
  /** The hosts' names, wave by wave. */
  readonly waves: readonly (readonly string[])[];
}

type GivenArgs = { readonly [Name in keyof KnockFleetArgs]?: unknown };

export const fleetNames = [
  ...(["hosts", "connection", "policy", "policies", "rollout"] as const),
  ...(["proveFrom", "behind", "hopProfiles"] as const),
  ...(["undoAfterSeconds", "adopt", "deleteUnreachable"] as const),
];
export const hostNames = ["connection", "group", "policy", "proveFrom", "behind", "hopProfiles"] as const;

/**
 * Checks a fleet's arguments before any of its resources is registered. A program without types may give anything.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` with all findings at once
 */
export function planFleet(name: string, args: GivenArgs): FleetPlan {
  const hosts = isRecord(args.hosts) ? Object.keys(args.hosts) : [];
  const rollout = readRollout(args.rollout, hosts);
  const findings = [
    ...findUnknown(args, fleetNames, "fleet", argumentWords),
    ...findWrongHosts(args.hosts),
    ...findWrongPolicies(args),
    ...(rollout.kind === "wrong" ? rollout.findings : []),
  ];
  if (findings.length === 0 && rollout.kind === "rollout") return rollout;
  const message = `fleet ${name} is not valid; nothing was contacted:\n${formatFindings(findings)}`;
  throw new KnockgateError("ARGUMENTS_INVALID", message);
}

function findUnknown(
  given: object,
  names: readonly string[],
  path: string,
  words?: readonly [string, string],
): readonly Finding[] {
  const unknown = listGiven(given).filter((field) => !names.includes(field));
  return unknown.length === 0
    ? []
    : [{ path, rule: "arguments-shape", ...describeUnknown(unknown, names, words) }];
}

function findWrongHosts(hosts: unknown): readonly Finding[] {
  const rule = "fleet-hosts";
  if (!isRecord(hosts)) {
    const fix = "Set it to an object that has each host by its name.";
    return [
      {
        path: "hosts",
        rule,
        message: `must be an object${hosts === undefined ? ", and is missing" : ""}.`,
        fix,
      },
    ];
  }
  const entries = Object.entries(hosts);
  if (entries.length === 0) {
    return [
      { path: "hosts", rule, message: "has no host.", fix: "Name at least one, or leave the fleet out." },
    ];
  }
  return entries.flatMap(([name, host], index): readonly Finding[] => {
    // An invalid name is not shown: it may be a value, for example where YAML lacks a space after the colon.
    const path = isName(name) ? `hosts.${name}` : `hosts[${index}]`;
    const ofName = {
      path,
      rule,
      message: "has a name that a host can't have: it becomes part of a resource's name.",
      fix: "Use letters, digits, ., _ and -.",
    };
    const shape = {
      path,
      rule,
      message: "must be an object.",
      fix: "Set it to an object. {} is enough.",
    };
    return [
      ...(isName(name) ? [] : [ofName]),
      ...(isRecord(host) ? findUnknown(host, hostNames, path) : [shape]),
    ];
  });
}

function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text);
}

function findWrongPolicies({ hosts, policy, policies }: GivenArgs): readonly Finding[] {
  if ((policy === undefined) === (policies === undefined)) {
    const message = `is ${policy === undefined ? "missing" : "given together with policies"}.`;
    return [
      { path: "policy", rule: "fleet-policy", message, fix: "Give either policy, or policies by group." },
    ];
  }
  if (policies !== undefined && !isRecord(policies)) {
    const fix = "Set it to an object that has each group's policy by the group's name.";
    return [{ path: "policies", rule: "fleet-policy", message: "must be an object.", fix }];
  }
  const groups = Object.keys(policies ?? {});
  const named = Object.entries(isRecord(hosts) ? hosts : {}).filter(([name]) => isName(name));
  return named.flatMap(([name, host]) => {
    const group = isRecord(host) ? host["group"] : undefined;
    const path = `hosts.${name}.group`;
    if (policies === undefined && group !== undefined) {
      const fix = "Remove it, or give policies by group.";
      return [{ path, rule: "fleet-group", message: "has no effect: all hosts have one policy.", fix }];
    }
    if (policies === undefined || (typeof group === "string" && groups.includes(group))) return [];
    const message = group === undefined ? "is missing." : "is not a group that has a policy.";
    const known = groups.filter(isName).join(", ");
    return [{ path, rule: "fleet-group", message, fix: `Set it to one of: ${known}.` }];
  });
}
