import { randomBytes, randomUUID } from "node:crypto";
import { renderRedacted } from "../../backends/redact.js";
import { changeHost } from "../../change/change.js";
import { removeOrLeave } from "../../change/leave.js";
import { expectKeys } from "../../change/new-host.js";
import { withProvingRoutes, withRoutes } from "../../change/open-routes.js";
import { nameOwner } from "../../change/owner.js";
import { describeHorizon, listTokenWarnings } from "../../change/token-host.js";
import { checkUndoTime } from "../../change/undo-time.js";
import { withHost } from "../../change/with-host.js";
import { describeNeighbours } from "../../host/neighbours.js";
import { countPackets, observeHost } from "../../host/script/observe.js";
import { checkExpectations } from "../../lint/expectations.js";
import { type LintFinding, lintPolicy } from "../../lint/lint.js";
import { type Finding, formatFinding, placeBelowPolicy } from "../../policy/finding.js";
import { writePolicy } from "../../policy/written-policy.js";
import type { Connection } from "../../ssh/connection.js";
import { logLine, logLineOnce } from "../log.js";
import type { Properties } from "../properties.js";
import { nameResource } from "../resource-name.js";
import { type CheckResult, toFailure } from "./check-failure.js";
import { checkInputs } from "./check-inputs.js";
import { fillKnown, findKnownErrors } from "./check-known.js";
import { compareInputs, type DiffResult } from "./diff.js";
import { actAtEdge } from "./edge.js";
import { keepSeen, needsHost } from "./needs-host.js";
import { readArguments } from "./parse-inputs.js";
import { describeReach } from "./reached-by.js";
import { listPossible, makeRequest, makeTarget, recordChange } from "./record-change.js";
import { describeRefreshed, describeUnrefreshed } from "./refresh.js";
import type { CreateResult, ReadResult, UpdateResult } from "./results.js";
import { expectInputs, expectState, readEarlier } from "./state.js";

// The operations of the `Ruleset` resource, over its complete state and without Pulumi's classes.

/** Fills in defaults and the redacted ruleset. Returns all failures of wrong inputs at once. */
export function check(olds: Properties, news: Properties): Promise<CheckResult> {
  return actAtEdge(nameResource(news["origin"]), () => checkRuleset(olds, news));
}

async function checkRuleset(olds: Properties, news: Properties): Promise<CheckResult> {
  const reading = readArguments(news);
  const wrong = [...(reading.kind === "wrong" ? reading.findings : []), ...checkInputs(news)];
  if (reading.kind === "wrong" || wrong.length > 0) {
    return { inputs: { ...news }, failures: wrong.map(toFailure) };
  }
  const earlier = readEarlier(olds);
  const redactionKey = earlier.redactionKey || randomBytes(16).toString("hex");
  switch (reading.kind) {
    case "unknown": {
      const failures = findKnownErrors(reading.known, news).map(toFailure);
      if (failures.length > 0) return { inputs: { ...news }, failures };
      return { inputs: fillKnown(reading.known, earlier, news, redactionKey), failures: [] };
    }
    case "arguments": {
      const { policy, undoAfterSeconds } = reading.arguments;
      const aboutPolicy = [...lintPolicy(policy), ...checkExpectations(policy)];
      const found = [...aboutPolicy.map(placeBelowPolicy), ...checkUndoTime(reading.arguments)];
      const failures = found.filter((finding) => !isWarning(finding)).map(toFailure);
      if (failures.length > 0) return { inputs: { ...news }, failures };
      for (const finding of found) logLineOnce(`warning: policy ${policy.name}: ${formatFinding(finding)}`);
      const ruleset = renderRedacted(policy, redactionKey);
      // The wanted drift is empty, so a preview shows that the drift that a refresh found will go.
      const reachedBy = describeReach(news, redactionKey);
      const filled = {
        policy: writePolicy(policy),
        undoAfterSeconds,
        redactionKey,
        ruleset,
        drift: [],
        reachedBy,
      };
      return { inputs: { ...news, ...filled }, failures: [] };
    }
  }
}

function isWarning(finding: Finding | LintFinding): boolean {
  return "severity" in finding && finding.severity === "warning";
}

/** Compares what the host confirmed with what is wanted, by meaning. Does not contact the host. */
export function diff(_id: string, olds: Properties, news: Properties): Promise<DiffResult> {
  return actAtEdge(nameResource(news["origin"]), async () => compareInputs(olds, news));
}

export function create(inputs: Properties): Promise<CreateResult> {
  return actAtEdge(nameResource(inputs["origin"]), () => createOnHost(inputs));
}

async function createOnHost(inputs: Properties): Promise<CreateResult> {
  const { wanted, state: news } = expectInputs(inputs);
  const { policy } = wanted;
  const id = nameOwner(policy.name, news.origin, randomUUID());
  const outs = await recordChange(id, wanted, news, { possible: [] }, () =>
    withProvingRoutes(makeTarget(wanted), [policy], logLine, (context) =>
      changeHost(makeRequest(id, wanted), expectKeys(context, wanted.connection)),
    ),
  );
  return { id, outs };
}

export function update(id: string, olds: Properties, news: Properties): Promise<UpdateResult> {
  return actAtEdge(nameResource(news["origin"]), () => updateOnHost(id, olds, news));
}

async function updateOnHost(id: string, rawOlds: Properties, rawNews: Properties): Promise<UpdateResult> {
  const { wanted: before, state: olds } = expectState(rawOlds);
  const { wanted: after, state: news } = expectInputs(rawNews);
  if (!needsHost(before, after, olds)) return { outs: keepSeen(olds, news, after.policy) };
  const possible = listPossible(olds, before.policy);
  const former = {
    formerPolicies: possible,
    formerDigest: olds.digest,
    obstacles: olds.obstacles,
  };
  const request = { ...makeRequest(id, after), ...former };
  const outs = await recordChange(id, after, news, { olds, possible }, () =>
    withProvingRoutes(makeTarget(after), [...possible, after.policy], logLine, (context) =>
      changeHost(request, context),
    ),
  );
  return { outs };
}

/**
 * Returns what the host really has. If the host has nothing of the policy any more, that is drift, too: the resource
 * stays in the state, because only the state knows the knock that the host might still need. If a host of a fleet can't
 * be observed, its drift says so, and the refresh goes on with the other hosts.
 */
export function read(id: string, props: Properties): Promise<ReadResult> {
  return actAtEdge(nameResource(props["origin"]), () => readFromHost(id, props));
}

async function readFromHost(id: string, props: Properties): Promise<ReadResult> {
  const { wanted, state } = expectState(props);
  const { policy, connection, recordFailure } = wanted;
  const possible = listPossible(state, policy);
  // After a failed change, the host has the former policy, and that has other secrets.
  const [present = policy] = possible;
  const isGated = possible.length > 0;
  const way = { ...makeTarget(wanted), gatedBy: isGated ? possible : [policy], isGated };
  const look = withHost(way, logLine, async (reached) => {
    const observed = await observeHost(reached.connection, present);
    const counts = await countPackets(reached.connection, present);
    const { drift, ...seen } = describeRefreshed(observed, counts, id, present, state);
    const place = `${policy.name} on ${reached.route.name}`;
    for (const line of drift) logLine(`${place}: drift: ${line}`);
    for (const line of describeNeighbours(observed, present)) logLine(`${place}: warning: ${line}`);
    for (const line of describeHorizon(observed.tokens)) logLine(`${place}: ${line}`);
    for (const line of listTokenWarnings(observed, present, Date.now()))
      logLine(`${place}: warning: ${line}`);
    return { id, ...seen };
  });
  if (!recordFailure) return look;
  return look.catch((cause: unknown) => ({
    id,
    ...describeUnrefreshed(cause, state, `${policy.name} on ${namePlace(connection)}`),
  }));
}

function namePlace({ host, port }: Connection): string {
  return port === undefined ? host : `${host}:${port}`;
}

function remove(id: string, props: Properties): Promise<void> {
  return actAtEdge(nameResource(props["origin"]), () => removeAsStored(id, props));
}

async function removeAsStored(id: string, props: Properties): Promise<void> {
  const { wanted, state } = expectState(props);
  const { policy, connection, deleteUnreachable } = wanted;
  const { behind, openHop } = makeTarget(wanted);
  const possible = listPossible(state, policy);
  if (possible.length === 0) return logLine(`${policy.name} on ${connection.host}: nothing was put there`);
  const leaving = {
    policy,
    possible,
    owner: id,
    host: connection.host,
    deleteUnreachable: deleteUnreachable || process.env["KNOCKGATE_DELETE_UNREACHABLE"] === "true",
    log: logLine,
  };
  await removeOrLeave(leaving, (use) => withRoutes(connection, possible, logLine, use, behind, openHop));
}

export { remove as delete };
