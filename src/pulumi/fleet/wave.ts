import * as pulumi from "@pulumi/pulumi";
import { registerResource } from "../registration.js";
import type { WaveSummary } from "./wave-summary.js";

export interface WaveResourceInputs {
  readonly fleet: string;
  /** The wave's number, from 1. */
  readonly wave: number;
  readonly of: number;
  readonly maxFailures: number;
  readonly pauseSeconds: number;
  readonly onFailure: string;
  /** What each host's `Ruleset` reports about its last change. */
  readonly hosts: pulumi.Input<readonly object[]>;
  /** Set only when the hosts of a failed wave are to be restored. */
  readonly rulesets: pulumi.Input<unknown> | undefined;
}

/** Stands between one wave and the next: it fails when too many hosts failed. */
export interface Wave extends pulumi.CustomResource {
  readonly summary: pulumi.Output<WaveSummary>;
}

export function registerWave(
  name: string,
  args: WaveResourceInputs,
  opts: pulumi.CustomResourceOptions,
): Wave {
  const rulesets = args.rulesets === undefined ? undefined : pulumi.secret(args.rulesets);
  const inputs = { ...args, rulesets, summary: undefined, undone: undefined };
  return registerResource("Wave", name, inputs, opts) as Wave;
}
