import { randomBytes, randomUUID } from "node:crypto";
import { changeHost } from "../apply/change.js";
import { removeOrLeave } from "../apply/leave.js";
import { countPackets, observeHost } from "../apply/observe.js";
import { nameOwner } from "../apply/owner.js";
import { withHost } from "../apply/with-host.js";
import { withProvingWorld, withWorld } from "../apply/worlds.js";
import { checkExpectations } from "../check/expectations.js";
import { type LintFinding, lintPolicy } from "../check/lint.js";
import { describeNeighbours } from "../plan/neighbours.js";
import { checkUndoTime } from "../plan/undo-time.js";
import { digestText } from "../policy/digest.js";
import { describeFinding, type Finding, formatFindings } from "../policy/finding.js";
import { renderRedacted } from "../render/redact.js";
import { renderPolicy } from "../render/render.js";
import { expectArguments, type Properties, readArguments, unknownValue } from "./arguments.js";
import { keepSeen, needsHost } from "./contact.js";
import { logLine, logLineOnce } from "./log.js";
import { listPossible, makeRequest, recordChange } from "./recorded.js";
import { describeSeen, describeUnseen, readLines, readObstacles } from "./seen.js";

export type { Properties } from "./arguments.js";
export { wave } from "./wave-operations.js";

// What the `Ruleset` resource does, free of Pulumi's classes: the dynamic resource and any other adapter call these.

export interface CheckResult {
  readonly inputs: Record<string, unknown>;
  readonly failures: readonly { readonly property: string; readonly reason: string }[];
}

/** Fills in defaults and the redacted ruleset; an invalid policy comes back as failures, all at once. */
export async function check(olds: Properties, news: Properties): Promise<CheckResult> {
  const reading = readArguments(news);
  const redactionKey = olds["redactionKey"] || randomBytes(16).toString("hex");
  switch (reading.kind) {
    case "wrong":
      return { inputs: { ...news }, failures: reading.findings.map(toFailure) };
    case "unknown":
      return { inputs: { ...news, redactionKey, ruleset: unknownValue, drift: [] }, failures: [] };
    case "arguments": {
      const { policy, undoAfterSeconds } = reading.arguments;
      const aboutPolicy = [...lintPolicy(policy), ...checkExpectations(policy)];
      const found = [
        ...aboutPolicy.map((finding) => ({ ...finding, path: `policy.${finding.path}` })),
        ...checkUndoTime(reading.arguments),
      ];
      const failures = found.filter((finding) => !isWarning(finding)).map(toFailure);
      if (failures.length > 0) return { inputs: { ...news }, failures };
      for (const finding of found)
        logLineOnce(`warning: policy ${policy.name}: ${formatFindings([finding])}`);
      const ruleset = renderRedacted(policy, `${redactionKey}`);
      // No drift is wanted: so a preview shows what a refresh found as what will go.
      const filled = { policy, undoAfterSeconds, redactionKey, ruleset, drift: [] };
      return { inputs: { ...news, ...filled }, failures: [] };
    }
  }
}

function toFailure(found: Finding): CheckResult["failures"][number] {
  return { property: found.path, reason: describeFinding(found) };
}

function isWarning(finding: Finding | LintFinding): boolean {
  return "severity" in finding && finding.severity === "warning";
}

export interface DiffResult {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** Compares what the host confirmed with what is wanted: by meaning, and without asking the host. */
export async function diff(_id: string, olds: Properties, news: Properties): Promise<DiffResult> {
  const before = readArguments(olds);
  const after = readArguments(news);
  if (after.kind !== "arguments" || before.kind !== "arguments") {
    return { changes: true, replaces: [], deleteBeforeReplace: false };
  }
  const isMoved = before.arguments.connection.host !== after.arguments.connection.host;
  const isSame =
    !olds["failure"] &&
    olds["digest"] === digestText(renderPolicy(after.arguments.policy)) &&
    olds["ruleset"] === news["ruleset"] &&
    JSON.stringify(readLines(olds["drift"])) === JSON.stringify(readLines(news["drift"])) &&
    JSON.stringify(before.arguments) === JSON.stringify(after.arguments);
  return {
    changes: !isSame,
    // Under another name or with another backend the host itself takes the former gate away, in the same change: as two
    // resources the ports would be open between them, or want two knocks.
    replaces: isMoved ? ["connection"] : [],
    deleteBeforeReplace: false,
  };
}

export async function create(inputs: Properties): Promise<{ id: string; outs: Record<string, unknown> }> {
  const wanted = expectArguments(inputs);
  const { policy } = wanted;
  const origin = inputs["origin"];
  const id = nameOwner(policy.name, origin === undefined ? undefined : `${origin}`, randomUUID());
  const outs = await recordChange(id, wanted, inputs, { olds: {}, possible: [] }, () =>
    withProvingWorld(wanted, [policy], logLine, (world) => changeHost(makeRequest(id, wanted), world)),
  );
  return { id, outs };
}

export async function update(
  id: string,
  olds: Properties,
  news: Properties,
): Promise<{ outs: Record<string, unknown> }> {
  const [before, after] = [expectArguments(olds), expectArguments(news)];
  if (!needsHost(before, after, olds)) return { outs: keepSeen(olds, news, after.policy) };
  const possible = listPossible(olds, before.policy);
  const former = {
    formerPolicies: possible,
    formerDigest: olds["digest"] === undefined ? undefined : `${olds["digest"]}`,
    obstacles: readObstacles(olds),
  };
  const request = { ...makeRequest(id, after), ...former };
  const outs = await recordChange(id, after, news, { olds, possible }, () =>
    withProvingWorld(after, [...possible, after.policy], logLine, (world) => changeHost(request, world)),
  );
  return { outs };
}

export interface ReadResult {
  readonly id: string;
  readonly props?: Record<string, unknown>;
  readonly inputs?: Record<string, unknown>;
}

/**
 * Returns what the host really has. A host that has nothing of the policy any more is drift as well: the resource
 * stays in the state, because the state alone knows by which knock the host would have to be reached if it had. A host
 * of a fleet that can't be looked at is no reason not to look at the others: that is in its drift.
 */
export async function read(id: string, props: Properties): Promise<ReadResult> {
  const { policy, connection, recordFailure } = expectArguments(props);
  const possible = listPossible(props, policy);
  // A host whose last change failed has the former policy, whose secrets are others.
  const [present = policy] = possible;
  const isGated = possible.length > 0;
  const way = { connection, gatedBy: isGated ? possible : [policy], isGated };
  const look = withHost(way, logLine, async (reached) => {
    const observed = await observeHost(reached.connection, present);
    const counts = await countPackets(reached.connection, present);
    const { drift, ...seen } = describeSeen(observed, counts, id, present, props);
    const place = `${policy.name} on ${reached.route.name}`;
    for (const line of drift) logLine(`${place}: drift: ${line}`);
    for (const line of describeNeighbours(observed, present)) logLine(`${place}: warning: ${line}`);
    return { id, ...seen };
  });
  return recordFailure ? look.catch((cause: unknown) => ({ id, ...describeUnseen(cause, props) })) : look;
}

async function remove(id: string, props: Properties): Promise<void> {
  const { policy, connection, deleteUnreachable } = expectArguments(props);
  const possible = listPossible(props, policy);
  if (possible.length === 0) return logLine(`${policy.name} on ${connection.host}: nothing was put there`);
  const leaving = {
    policy,
    possible,
    owner: id,
    host: connection.host,
    deleteUnreachable: deleteUnreachable || process.env["KNOCKGATE_DELETE_UNREACHABLE"] === "true",
    log: logLine,
  };
  await removeOrLeave(leaving, (use) => withWorld(connection, possible, logLine, use));
}

export { remove as delete };
