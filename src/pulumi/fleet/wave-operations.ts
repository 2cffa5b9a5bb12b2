import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { KnockgateError } from "../../errors.js";
import { logLine } from "../log.js";
import type { Properties } from "../properties.js";
import { type CheckResult, toFailure } from "../ruleset/check-failure.js";
import { findUnknownArguments } from "../ruleset/check-inputs.js";
import { actAtEdge } from "../ruleset/edge.js";
import { attachState } from "../ruleset/partial.js";
import type { CreateResult, UpdateResult } from "../ruleset/results.js";
import { hasUnknown } from "../unknown.js";
import { applyAgain, mapHosts, putBack } from "./rollback.js";
import {
  digestWave,
  findWrongWave,
  readEarlierWave,
  readWaveInputs,
  type Undone,
  type WaveInputs,
  type WaveState,
  waveNames,
} from "./wave-state.js";
import {
  countResults,
  describeWave,
  type HostResult,
  nameWave,
  replaceResults,
  summarizeWave,
  type WaveHost,
  type WaveSummary,
} from "./wave-summary.js";

/**
 * When this run began: each run has its own provider process. A host whose last change is older was not changed in this
 * run.
 */
const runStartMs = performance.timeOrigin;

/**
 * The operations of the `Wave` resource, without Pulumi's classes. After all hosts of a wave were tried, it reports on
 * each, and fails when too many failed, so that the engine does not start a later wave.
 */
export const wave = {
  async check(_olds: Properties, news: Properties): Promise<CheckResult> {
    const found = [
      ...(hasUnknown(news) ? [] : findWrongWave(news)),
      ...findUnknownArguments(news, waveNames),
    ];
    return { inputs: { ...news }, failures: found.map(toFailure) };
  },

  async diff(_id: string, olds: Properties, news: Properties) {
    const isSame = !hasUnknown(news) && olds["given"] === digestWave(news);
    const changes = !isSame || readEarlierWave(olds).undone.length > 0;
    return { changes, replaces: [], deleteBeforeReplace: false };
  },

  async create(news: Properties): Promise<CreateResult> {
    const id = `wave-${randomUUID()}`;
    return { id, outs: await actForFleet(news, () => concludeWave(id, {}, news)) };
  },

  async update(id: string, olds: Properties, news: Properties): Promise<UpdateResult> {
    return { outs: await actForFleet(news, () => concludeWave(id, olds, news)) };
  },

  async read(id: string, props: Properties) {
    return { id, props: { ...props } };
  },

  async delete(_id: string, props: Properties): Promise<void> {
    await actForFleet(props, async () => warnLost(readEarlierWave(props).undone));
  },
};

function actForFleet<T>({ fleet }: Properties, act: () => Promise<T>): Promise<T> {
  return actAtEdge(typeof fleet === "string" ? fleet : undefined, act);
}

async function concludeWave(id: string, olds: Properties, news: Properties): Promise<WaveState> {
  const read = readWaveInputs(news);
  const earlier = readEarlierWave(olds);
  const lost = earlier.undone.filter((one) => isLost(one, read));
  warnLost(lost);
  let undone: readonly Undone[] = earlier.undone.filter(
    (one) => !lost.includes(one) && isStillUndone(one, read),
  );
  let summary = summarizeWave(read, listHosts(read), runStartMs);
  if (undone.length > 0 && !isTooMany(read, summary)) {
    const again = await mapHosts(undone, ({ name }) => applyAgain(name, pick(read, name)));
    summary = replaceResults(summary, again);
    undone = undone.filter(({ name }) => again.some((one) => one.host === name && one.result === "failed"));
  }
  const kept = { fleet: read.fleet, given: digestWave(read) };
  if (isTooMany(read, summary)) {
    if (read.onFailure === "undo") {
      const changed = summary.hosts.filter(({ result }) => result === "changed");
      const back = await mapHosts(changed, ({ host }) => putBack(host, pick(read, host)));
      summary = replaceResults(summary, back);
      undone = [...undone, ...listUndone(read, back)];
    }
    print(summary);
    throw failWave(read, summary, { id, properties: { ...kept, undone, summary } });
  }
  if (countResults(summary, "unchanged") === summary.hosts.length) {
    return { ...kept, undone, summary: earlier.summary ?? summary };
  }
  print(summary);
  if (read.pauseSeconds > 0) {
    logLine(`${nameWave(read)}: waiting ${read.pauseSeconds} s before the next one`);
    await pause(read.pauseSeconds * 1_000);
  }
  return { ...kept, undone, summary };
}

function listHosts({ hosts }: WaveInputs): readonly WaveHost[] {
  return hosts.map(({ name, lastChange, failure }) => ({
    name,
    ...(failure === "" ? {} : { failure }),
    lastChange: { endMs: Date.parse(lastChange.at), seconds: lastChange.seconds },
  }));
}

/**
 * Whether the wave can't apply the ruleset again to a restored host: the host left the wave, or the wave no longer
 * restores hosts, and so does not get the login either.
 */
function isLost(one: Undone, read: WaveInputs): boolean {
  if (read.hosts.every(({ name }) => name !== one.name)) return true;
  return isStillUndone(one, read) && !Object.hasOwn(read.rulesets, one.name);
}

/** Whether a host is still as it was restored: its own resource has not changed it since. */
function isStillUndone({ name, at }: Undone, { hosts }: WaveInputs): boolean {
  return hosts.some((host) => host.name === name && host.lastChange.at === at);
}

function isTooMany({ maxFailures }: WaveInputs, summary: WaveSummary): boolean {
  return countResults(summary, "failed") > maxFailures;
}

function pick({ rulesets }: WaveInputs, name: string): WaveInputs["rulesets"][string] {
  const found = rulesets[name];
  if (found !== undefined) return found;
  throw new KnockgateError("ARGUMENTS_INVALID", `host ${name} is not known to its wave`);
}

function listUndone({ hosts }: WaveInputs, back: readonly HostResult[]): readonly Undone[] {
  const names = back.flatMap(({ host, result }) => (result === "undone" ? [host] : []));
  return hosts.flatMap(({ name, lastChange: { at } }) => (names.includes(name) ? [{ name, at }] : []));
}

function print(summary: WaveSummary): void {
  for (const line of describeWave(summary)) logLine(line);
}

/**
 * Makes the error of a failed wave. If hosts were restored, it carries a state for the engine to save, so that the next
 * run knows of them.
 */
function failWave(
  read: WaveInputs,
  summary: WaveSummary,
  partial: { readonly id: string; readonly properties: WaveState },
): KnockgateError {
  const failed = summary.hosts.filter(({ result }) => result === "failed").map(({ host }) => host);
  const undone = countResults(summary, "undone");
  const kept = countResults(summary, "changed");
  const message = [
    `fleet ${read.fleet}: ${nameWave(read)}: ${failed.length} of ${summary.hosts.length} hosts failed (maxFailures is ${read.maxFailures}): ${listNames(failed)}.`,
    ...(undone > 0 ? [`Changed hosts that were put back: ${undone}.`] : []),
    ...(kept > 0 ? [`Changed hosts that keep the new ruleset: ${kept}.`] : []),
    ...(read.wave < read.of ? ["No host of a later wave was touched."] : []),
    "The lines above say what each failed host has now. `pulumi up` tries the failed hosts again and goes on.",
  ].join(" ");
  const error = new KnockgateError("WAVE_FAILED", message);
  if (partial.properties.undone.length === 0) return error;
  return attachState(error, partial);
}

function listNames(names: readonly string[]): string {
  const most = 10;
  return names.length <= most
    ? names.join(", ")
    : `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

/** Warns of restored hosts, because the state of their own resources still has the ruleset that was undone. */
function warnLost(undone: readonly Undone[]): void {
  if (undone.length === 0) return;
  const names = listNames(undone.map(({ name }) => name));
  logLine(
    `warning: hosts that were put back after a wave failed, and that the wave no longer brings to the new ruleset: ${names}; \`pulumi up --refresh\` finds what they have`,
  );
}
