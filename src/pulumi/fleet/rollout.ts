import { z } from "zod";
import type { Finding } from "../../policy/finding.js";
import { describeIssues } from "../../policy/shape.js";

const waveSchema = z.strictObject({
  count: z.int().min(1).optional(),
  percent: z.number().gt(0).max(100).optional(),
  hosts: z.array(z.string()).min(1).optional(),
});

const rolloutSchema = z.strictObject({
  waves: z.array(waveSchema).default([]),
  pauseBetweenSeconds: z.number().min(0).max(86_400).default(0),
  healthCommand: z.string().min(1).optional(),
  healthTimeoutSeconds: z.int().min(1).max(3_600).default(30),
  maxFailures: z.int().min(0).default(0),
  onFailure: z.enum(["halt", "undo"]).default("halt"),
});

const wavesSchema = z.object({ waves: rolloutSchema.shape.waves });

/** A rollout as a user writes it. Fields that have a default may be left out. */
export type RolloutInput = z.input<typeof rolloutSchema>;

/** How a fleet's hosts are brought to a new ruleset. It was read, has its defaults, and is valid. */
export type Rollout = Readonly<z.output<typeof rolloutSchema>>;

type WaveChoice = Rollout["waves"][number];

export type RolloutReading =
  | { readonly kind: "rollout"; readonly rollout: Rollout; readonly waves: readonly (readonly string[])[] }
  | { readonly kind: "wrong"; readonly findings: readonly Finding[] };

/**
 * Reads a rollout and distributes a fleet's hosts over its waves. Returns the names of each wave's hosts in order, or
 * all findings at once.
 *
 * A host that a wave names is in that wave. A count or a percentage takes the next hosts that no wave names, in the
 * fleet's order. A percentage is of all hosts; it is rounded down, but to at least one host. If the last wave has a
 * count or a percentage, it repeats until all hosts have a wave. If the last wave names its hosts, all other hosts make
 * one more wave.
 */
export function readRollout(raw: unknown, hosts: readonly string[]): RolloutReading {
  const reading = rolloutSchema.safeParse(raw ?? {});
  // Check the waves even where other fields have a wrong shape.
  const { waves = [] } = wavesSchema.safeParse(raw ?? {}).data ?? {};
  const findings = [
    ...describeIssues(reading.error?.issues ?? [], {
      schema: rolloutSchema,
      rule: "rollout-shape",
      at: ["rollout"],
    }),
    ...findWrongWaves(waves),
    ...findWrongNames(waves, hosts),
  ];
  if (!reading.success || findings.length > 0) return { kind: "wrong", findings };
  return { kind: "rollout", rollout: reading.data, waves: dealWaves(hosts, waves) };
}

function findWrongWaves(waves: readonly WaveChoice[]): readonly Finding[] {
  return waves.flatMap((wave, index) => {
    const given = [wave.count, wave.percent, wave.hosts].filter((choice) => choice !== undefined);
    if (given.length === 1) return [];
    return [
      {
        path: `rollout.waves[${index}]`,
        rule: "wave-choice",
        message: `has ${given.length === 0 ? "none" : "more than one"} of count, percent and hosts.`,
        fix: "Give exactly one of them.",
      },
    ];
  });
}

function findWrongNames(waves: readonly WaveChoice[], hosts: readonly string[]): readonly Finding[] {
  const seen = new Set<string>();
  return waves.flatMap((wave, index) =>
    (wave.hosts ?? []).flatMap((host, position) => {
      const wrong = !hosts.includes(host)
        ? { message: "is not a host of this fleet.", fix: "Remove it, or correct its spelling." }
        : seen.has(host)
          ? { message: "is in a wave already.", fix: "Name each host once." }
          : undefined;
      seen.add(host);
      return wrong === undefined
        ? []
        : [{ path: `rollout.waves[${index}].hosts[${position}]`, rule: "wave-host", ...wrong }];
    }),
  );
}

function dealWaves(hosts: readonly string[], choices: readonly WaveChoice[]): readonly (readonly string[])[] {
  const named = new Set(choices.flatMap((choice) => choice.hosts ?? []));
  const unnamed = hosts.filter((host) => !named.has(host));
  const waves: (readonly string[])[] = [];
  for (const choice of choices) {
    waves.push(choice.hosts ?? unnamed.splice(0, countHosts(choice, hosts.length)));
  }
  const last = choices.at(-1);
  const size = last === undefined || last.hosts !== undefined ? hosts.length : countHosts(last, hosts.length);
  while (unnamed.length > 0) waves.push(unnamed.splice(0, size));
  return waves.filter((wave) => wave.length > 0);
}

function countHosts({ count, percent }: WaveChoice, of: number): number {
  if (count !== undefined) return count;
  // 18.4 % of 375 is 69, but floating-point numbers give slightly less.
  const exact = Number(((of * (percent ?? 100)) / 100).toFixed(9));
  return Math.max(1, Math.floor(exact));
}
