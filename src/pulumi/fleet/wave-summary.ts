/** The result of a host in a wave. `undone`: the host was put back after the wave had failed. */
export type HostOutcome = "changed" | "unchanged" | "failed" | "undone";

/** The result of one host in a wave. */
export interface HostResult {
  /** Its name in the fleet. */
  readonly host: string;
  /** `changed`, `unchanged`, `failed`, or `undone`: put back after the wave had failed. */
  readonly result: HostOutcome;
  /** How long its change took. Absent: there was no change. */
  readonly seconds?: number;
  /** Why it failed, or why it could not be put back. */
  readonly failure?: string;
}

/** The result of a wave, as of the last change of one of its hosts, or the last attempt at one. */
export interface WaveSummary {
  /** From 1. */
  readonly wave: number;
  /** How many waves there are. */
  readonly of: number;
  /** From the start of its first change to the end of its last one. */
  readonly seconds: number;
  /** In the fleet's order. */
  readonly hosts: readonly HostResult[];
}

/** What a host's resource says when its wave is over. */
export interface WaveHost {
  readonly name: string;
  /** Its last change or attempt at one, in any run. */
  readonly lastChange: { readonly endMs: number; readonly seconds: number };
  /** Why that change failed, if it did. */
  readonly failure?: string;
}

/**
 * Sums up a wave. A host whose last change ended before the run began was not changed in it.
 *
 * @param place which wave it is, from 1, and of how many
 */
export function summarizeWave(
  { wave, of }: Pick<WaveSummary, "wave" | "of">,
  hosts: readonly WaveHost[],
  runStartMs: number,
): WaveSummary {
  const changes = hosts.map(({ lastChange }) => lastChange).filter(({ endMs }) => endMs >= runStartMs);
  const startMs = Math.min(...changes.map(({ endMs, seconds }) => endMs - seconds * 1_000));
  const endMs = Math.max(...changes.map((change) => change.endMs));
  const seconds = changes.length === 0 ? 0 : Math.round((endMs - startMs) / 100) / 10;
  return { wave, of, seconds, hosts: hosts.map((host) => describeResult(host, runStartMs)) };
}

function describeResult({ name, lastChange, failure }: WaveHost, runStartMs: number): HostResult {
  const { endMs, seconds } = lastChange;
  if (failure !== undefined) return { host: name, result: "failed", seconds, failure };
  return endMs >= runStartMs
    ? { host: name, result: "changed", seconds }
    : { host: name, result: "unchanged" };
}

/** Replaces the results of some hosts by their later results. */
export function replaceResults(summary: WaveSummary, by: readonly HostResult[]): WaveSummary {
  return { ...summary, hosts: summary.hosts.map((one) => by.find(({ host }) => host === one.host) ?? one) };
}

export function countResults({ hosts }: WaveSummary, result: HostOutcome): number {
  return hosts.filter((host) => host.result === result).length;
}

/** Writes a wave for a person: one line for all of it, and one for each host. */
export function describeWave(summary: WaveSummary): readonly string[] {
  const counts = (["changed", "unchanged", "failed", "undone"] as const).flatMap((result) => {
    const count = countResults(summary, result);
    return count === 0 ? [] : [`${count} ${result}`];
  });
  const width = Math.max(...summary.hosts.map(({ host }) => host.length));
  const hosts = summary.hosts.map(({ host, result, seconds, failure }) => {
    const time = seconds === undefined ? "" : `${seconds.toFixed(1)} s`;
    return `  ${host.padEnd(width)}  ${result.padEnd(9)}  ${time.padStart(7)}${failure === undefined ? "" : `  ${failure}`}`.trimEnd();
  });
  return [`${nameWave(summary)}: ${counts.join(", ")} in ${summary.seconds.toFixed(1)} s`, ...hosts];
}

export function nameWave({ wave, of }: Pick<WaveSummary, "wave" | "of">): string {
  return `wave ${wave} of ${of}`;
}
