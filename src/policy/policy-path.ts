import { stepsOf } from "./knock.js";
import type { Gate, Policy } from "./policy.js";

/**
 * Where the parts of a policy stand in it: `gates[0].knock.steps[1]`. A path holds no secret. These are the parts that a
 * ruleset's lines can come from.
 */
export type PolicyPath =
  | GatePath
  | `${GatePath}.protect`
  | `${GatePath}.knock.steps[${number}]`
  | `${GatePath}.knock.stepTimeoutSeconds`
  | `${GatePath}.knock.strict`
  | `${GatePath}.knock.token`
  | `${GatePath}.openForSeconds`
  | `${GatePath}.singleConnection`
  | `users[${number}]`
  | (typeof settingPaths)[number];

type GatePath = `gates[${number}]`;

const settingPaths = [
  "scope",
  "stealth",
  "allowFrom",
  "denyFrom",
  "tokens",
  "limits.sources",
  "limits.firstStepsPerSecond",
  "log",
] as const;

/** The paths of a gate and its parts. */
export interface GatePaths {
  readonly gate: GatePath;
  readonly protect: PolicyPath;
  /** In the order of the steps. */
  readonly steps: readonly PolicyPath[];
  readonly stepTimeout: PolicyPath;
  readonly strict: PolicyPath;
  readonly token: PolicyPath;
  readonly openFor: PolicyPath;
  readonly singleConnection: PolicyPath;
}

export function listGatePaths(gate: Gate, index: number): GatePaths {
  const path: GatePath = `gates[${index}]`;
  return {
    gate: path,
    protect: `${path}.protect`,
    steps: stepsOf(gate).map((_, position): PolicyPath => `${path}.knock.steps[${position}]`),
    stepTimeout: `${path}.knock.stepTimeoutSeconds`,
    strict: `${path}.knock.strict`,
    token: `${path}.knock.token`,
    openFor: `${path}.openForSeconds`,
    singleConnection: `${path}.singleConnection`,
  };
}

/** A gate that knows the paths of its parts. */
export interface PlacedGate extends Gate {
  readonly paths: GatePaths;
}

export interface PlacedPolicy extends Policy {
  readonly gates: readonly PlacedGate[];
}

export function placeGates(policy: Policy): PlacedPolicy {
  return {
    ...policy,
    gates: policy.gates.map((gate, index) => ({ ...gate, paths: listGatePaths(gate, index) })),
  };
}

/**
 * Makes the function that puts paths in order, each once: gates, protected ports, steps, settings. What comes from a
 * part of a gate comes from the gate, too.
 */
export function makePathOrder(policy: Policy): (paths: readonly PolicyPath[]) => readonly PolicyPath[] {
  const ranks = new Map(listPaths(policy).map((path, rank) => [path, rank]));
  const rankOf = (path: PolicyPath) => ranks.get(path) ?? ranks.size;
  return (paths) => {
    const all = new Set(paths.flatMap((path) => [...listGate(path), path]));
    return [...all].sort((one, other) => rankOf(one) - rankOf(other));
  };
}

function listPaths(policy: Policy): readonly PolicyPath[] {
  const gates = policy.gates.map(listGatePaths);
  return [
    ...gates.map(({ gate }) => gate),
    ...gates.map(({ protect }) => protect),
    ...gates.flatMap(({ steps }) => steps),
    ...gates.map(({ stepTimeout }) => stepTimeout),
    ...gates.map(({ strict }) => strict),
    ...gates.map(({ token }) => token),
    ...gates.map(({ openFor }) => openFor),
    ...gates.map(({ singleConnection }) => singleConnection),
    ...policy.users.map((_, index): PolicyPath => `users[${index}]`),
    ...settingPaths,
  ];
}

function listGate(path: PolicyPath): readonly GatePath[] {
  const index = /^gates\[(\d+)\]/.exec(path)?.[1];
  return index === undefined ? [] : [`gates[${Number(index)}]`];
}
