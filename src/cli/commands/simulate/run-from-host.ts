import type { Readable } from "node:stream";
import { withHost } from "../../../change/with-host.js";
import { explainCounters } from "../../../diagnose/explain-counts.js";
import { formatSimulation } from "../../../diagnose/format-simulation.js";
import { explainLogLines } from "../../../diagnose/log/explain-log.js";
import { parseLogLines } from "../../../diagnose/log/log-lines.js";
import { countPackets, readKernelLog } from "../../../host/script/observe.js";
import type { Counts } from "../../../policy/counts.js";
import { formatFindings } from "../../../policy/finding.js";
import type { Policy } from "../../../policy/policy.js";
import type { HostConnection } from "../../../ssh/host.js";
import {
  type CommandContext,
  type CommandOutcome,
  type Invocation,
  UsageError,
} from "../../framework/command.js";
import { readHostCommandInput } from "../../hosts/command-context.js";

/** What a host recorded about real packets. */
interface Record {
  readonly counts: Counts;
  /** Lines of the kernel's log. Secret. */
  readonly log: string;
}

/** Runs `knockgate simulate --from-host`. */
export async function runFromHost(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const { note, input } = context;
  const seconds = Number(invocation.value("for") ?? 30);
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > 3_600)
    throw new UsageError("--for must be a number of seconds from 0 to 3600");
  const [file, ...packets] = invocation.arguments;
  if (packets.length > 0) throw new UsageError("give either PACKETS or a host");
  const hostInput = await readHostCommandInput(invocation, context, [file, invocation.value("from-host")]);
  const { policy } = hostInput;
  return withHost(hostInput, note, async ({ connection, route }) => {
    // The knock for our own login is already counted.
    const before = await readRecord(connection, policy);
    if (seconds === 0) return describeRecords(route.name, policy, undefined, before, invocation);
    note(`${route.name}: knock now, from where it does not open; in ${seconds} s the host is read again`);
    await waitForKnock(seconds, input);
    return describeRecords(route.name, policy, before, await readRecord(connection, policy), invocation);
  });
}

async function readRecord(connection: HostConnection, policy: Policy): Promise<Record> {
  const counts = (await countPackets(connection, policy)) ?? new Map();
  return { counts, log: await readKernelLog(connection, policy) };
}

/** Waits. On a terminal, Enter ends the wait. */
async function waitForKnock(seconds: number, input: Readable & { readonly isTTY?: boolean }): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(end, seconds * 1_000);
    if (input.isTTY === true) input.once("data", end);
    function end(): void {
      clearTimeout(timer);
      if (input.isTTY === true) input.off("data", end).pause();
      resolve();
    }
  });
}

/** @param before the first reading; `undefined` to report all that was counted */
function describeRecords(
  place: string,
  policy: Policy,
  before: Record | undefined,
  after: Record,
  invocation: Invocation,
): CommandOutcome {
  const counters = explainCounters(policy, before?.counts ?? startAtZero(after.counts), after.counts);
  const since = before === undefined ? "since the ruleset was loaded" : "since the first reading";
  const lines = before === undefined ? after.log : listNewLines(before.log, after.log);
  const { events, findings, skipped } = parseLogLines(lines, policy);
  const simulation = explainLogLines(policy, events, { showSecrets: invocation.has("show-secrets") });
  const said = [
    `${place}: counted ${since}:`,
    ...counters,
    ...(findings.length === 0 ? [] : [formatFindings(findings)]),
    ...skipped.map((line) => `left out: ${line}`),
    events.length === 0
      ? "the kernel's log has no lines of this policy"
      : formatSimulation(simulation).trimEnd(),
  ];
  const rose = policy.gates.some(({ name }) => {
    const [earlier, later] = [before?.counts.get(name), after.counts.get(name)];
    return (later?.accepted ?? 0) > (earlier?.accepted ?? 0) || (later?.opened ?? 0) > (earlier?.opened ?? 0);
  });
  return {
    exitCode: rose || simulation.verdicts.some(({ isOpen }) => isOpen) ? 0 : 1,
    text: `${said.join("\n")}\n`,
    json: { policy: policy.name, counters, findings, skipped, ...simulation },
  };
}

function startAtZero(counts: Counts): Counts {
  return new Map(
    [...counts].map(([name, { opened, reset }]) => {
      const counted = { accepted: 0, dropped: 0 };
      return [
        name,
        opened === undefined || reset === undefined ? counted : { ...counted, opened: 0, reset: 0 },
      ];
    }),
  );
}

/**
 * Lists the lines that came after the first reading. The log drops its oldest lines, so the last line of then may be
 * gone.
 */
function listNewLines(before: string, after: string): string {
  const last = before.split("\n").at(-2);
  if (last === undefined) return after;
  const lines = after.split("\n");
  return lines.slice(lines.lastIndexOf(last) + 1).join("\n");
}
