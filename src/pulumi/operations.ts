import { randomBytes, randomUUID } from "node:crypto";
import { changeHost, type World } from "../apply/change.js";
import { refuseUntouched } from "../apply/failure.js";
import { removeOrLeave } from "../apply/leave.js";
import { observeHost } from "../apply/observe.js";
import { nameOwner } from "../apply/owner.js";
import { nameBackend } from "../apply/program.js";
import { reachHost } from "../apply/reach.js";
import { checkExpectations } from "../check/expectations.js";
import { type LintFinding, lintPolicy } from "../check/lint.js";
import { KnockgateError } from "../errors.js";
import { digestText } from "../policy/digest.js";
import { describeFinding, type Finding, formatFindings } from "../policy/finding.js";
import type { Policy, Step } from "../policy/schema.js";
import { renderRedacted } from "../render/redact.js";
import { renderPolicy } from "../render/render.js";
import type { Connection } from "../transport/connection.js";
import { findRoutes } from "../transport/routes.js";
import { findVantage } from "../transport/vantage.js";
import { checkUndoTime, type RulesetArguments, readArguments, unknownValue } from "./arguments.js";
import { needsHost } from "./contact.js";
import { describeSeen, readLines, readObstacles } from "./seen.js";

/**
 * What the `Ruleset` resource does, free of Pulumi's classes: the dynamic resource and any other adapter call these.
 * Properties are plain JSON, as the engine sends and stores them.
 */
export type Properties = Readonly<Record<string, unknown>>;

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
        console.log(`warning: policy ${policy.name}: ${formatFindings([finding])}`);
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
  const isRenamed = before.arguments.policy.name !== after.arguments.policy.name;
  const isElsewhere = nameBackend(before.arguments.policy) !== nameBackend(after.arguments.policy);
  const isMoved = before.arguments.connection.host !== after.arguments.connection.host;
  const isSame =
    olds["digest"] === digestText(renderPolicy(after.arguments.policy)) &&
    olds["ruleset"] === news["ruleset"] &&
    JSON.stringify(readLines(olds["drift"])) === JSON.stringify(readLines(news["drift"])) &&
    JSON.stringify(before.arguments) === JSON.stringify(after.arguments);
  return {
    changes: !isSame,
    replaces: [...(isRenamed || isElsewhere ? ["policy"] : []), ...(isMoved ? ["connection"] : [])],
    // Both would gate the same port, and no one knock would open both.
    deleteBeforeReplace: isRenamed || isElsewhere,
  };
}

export async function create(inputs: Properties): Promise<{ id: string; outs: Record<string, unknown> }> {
  const wanted = expectArguments(inputs);
  const { policy, undoAfterSeconds, adopt } = wanted;
  const origin = inputs["origin"];
  const id = nameOwner(policy.name, origin === undefined ? undefined : `${origin}`, randomUUID());
  const request = { policy, owner: id, undoAfterSeconds, adopts: adopt };
  const confirmed = await withProvingWorld(wanted, [policy], (world) => changeHost(request, world));
  return { id, outs: { ...inputs, ...confirmed, drift: [] } };
}

export async function update(
  id: string,
  olds: Properties,
  news: Properties,
): Promise<{ outs: Record<string, unknown> }> {
  const [before, after] = [expectArguments(olds), expectArguments(news)];
  const { digest, ruleset } = olds;
  const drift = readLines(olds["drift"]);
  const obstacles = readObstacles(olds);
  if (!needsHost(before, after, { digest, drift })) {
    const isUpToDate = digest === digestText(renderPolicy(after.policy));
    const seen = isUpToDate ? { digest } : { digest: digest ?? "", ruleset };
    return { outs: { ...news, ...seen, drift, ...(obstacles === undefined ? {} : { obstacles }) } };
  }
  const { policy, undoAfterSeconds, adopt } = after;
  const former = {
    formerPolicy: before.policy,
    formerDigest: digest === undefined ? undefined : `${digest}`,
  };
  const request = { policy, ...former, owner: id, undoAfterSeconds, adopts: adopt, obstacles };
  const confirmed = await withProvingWorld(after, [policy, before.policy], (world) =>
    changeHost(request, world),
  );
  return { outs: { ...news, ...confirmed, drift: [] } };
}

export interface ReadResult {
  readonly id: string;
  readonly props?: Record<string, unknown>;
  readonly inputs?: Record<string, unknown>;
}

/**
 * Returns what the host really has. A host that has nothing of the policy any more is drift as well: the resource
 * stays in the state, because the state alone knows by which knock the host would have to be reached if it had.
 */
export async function read(id: string, props: Properties): Promise<ReadResult> {
  const { policy, connection } = expectArguments(props);
  return withWorld(connection, [policy], async (world) => {
    const reached = await reachHost(world.routes, [policy], true, world.dialing);
    try {
      const observed = await observeHost(reached.connection, policy);
      const { drift, ...seen } = describeSeen(observed, id, policy, props);
      for (const line of drift) world.log(`${policy.name} on ${reached.route.name}: drift: ${line}`);
      return { id, ...seen };
    } finally {
      reached.connection.close();
    }
  });
}

async function remove(id: string, props: Properties): Promise<void> {
  const { policy, connection, deleteUnreachable } = expectArguments(props);
  const leaving = {
    policy,
    owner: id,
    host: connection.host,
    deleteUnreachable: deleteUnreachable || process.env["KNOCKGATE_DELETE_UNREACHABLE"] === "true",
    log: (line: string) => console.log(line),
  };
  await removeOrLeave(leaving, (use) => withWorld(connection, [policy], use));
}

export { remove as delete };

function expectArguments(raw: Properties): RulesetArguments {
  const reading = readArguments(raw);
  if (reading.kind === "arguments") return reading.arguments;
  const findings = reading.kind === "wrong" ? formatFindings(reading.findings) : "something is not known yet";
  throw new KnockgateError("POLICY_INVALID", `the inputs are not right; nothing was contacted:\n${findings}`);
}

/** Opens the way to another machine, too, when the gates are to be tried from there. */
async function withProvingWorld<T>(
  { connection, proveFrom, policy }: RulesetArguments,
  policies: readonly Policy[],
  use: (world: World) => Promise<T>,
): Promise<T> {
  if (proveFrom === undefined) return withWorld(connection, policies, use);
  const vantage = await findVantage(proveFrom, connection.host, listSteps([policy]), "proveFrom").catch(
    (cause: unknown) => refuseUntouched(`policy ${policy.name} on ${connection.host}`, cause),
  );
  try {
    return await withWorld(connection, policies, (world) => use({ ...world, vantage }));
  } finally {
    vantage.close();
  }
}

function listSteps(policies: readonly Policy[]): readonly Step[] {
  return policies.flatMap((policy) => policy.gates.flatMap((gate) => gate.knock.steps));
}

/** @param policies all whose knocks may have to be sent */
async function withWorld<T>(
  connection: Connection,
  policies: readonly Policy[],
  use: (world: World) => Promise<T>,
): Promise<T> {
  const passage = await findRoutes(connection, listSteps(policies)).catch((cause: unknown) =>
    refuseUntouched(`policy ${policies[0]?.name} on ${connection.host}`, cause),
  );
  try {
    return await use({
      routes: passage.routes,
      dialing: {
        port: connection.port,
        perDialTimeoutMs: connection.perDialTimeout * 1_000,
        errorLimit: connection.dialErrorLimit,
      },
      newId: () => randomUUID(),
      // The engine shows what a provider's process prints as lines of its log.
      log: (line) => console.log(line),
    });
  } finally {
    passage.close();
  }
}
