import { randomBytes, randomUUID } from "node:crypto";
import { changeHost, type World } from "../apply/change.js";
import { refuseUntouched } from "../apply/failure.js";
import { observeHost } from "../apply/observe.js";
import { nameBackend } from "../apply/program.js";
import { reachHost } from "../apply/reach.js";
import { removeFromHost } from "../apply/remove.js";
import { checkExpectations } from "../check/expectations.js";
import { type LintFinding, lintPolicy } from "../check/lint.js";
import { KnockgateError } from "../errors.js";
import { describeLoaded } from "../plan/drift.js";
import { isUnchanged, type Observed } from "../plan/observed.js";
import { digestText } from "../policy/digest.js";
import { describeFinding, type Finding, formatFindings } from "../policy/finding.js";
import type { Policy, Step } from "../policy/schema.js";
import { redactListing, renderRedacted } from "../render/redact.js";
import { renderPolicy } from "../render/render.js";
import type { Connection } from "../transport/connection.js";
import { findRoutes } from "../transport/routes.js";
import { findVantage } from "../transport/vantage.js";
import { checkUndoTime, type RulesetArguments, readArguments, unknownValue } from "./arguments.js";

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
      return { inputs: { ...news, redactionKey, ruleset: unknownValue }, failures: [] };
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
      return { inputs: { ...news, policy, undoAfterSeconds, redactionKey, ruleset }, failures: [] };
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
  const { policy, undoAfterSeconds } = wanted;
  const id = `${policy.name}-${randomUUID()}`;
  const { digest } = await withProvingWorld(wanted, [policy], (world) =>
    changeHost({ policy, owner: id, undoAfterSeconds }, world),
  );
  return { id, outs: { ...inputs, digest } };
}

export async function update(
  id: string,
  olds: Properties,
  news: Properties,
): Promise<{ outs: Record<string, unknown> }> {
  const wanted = expectArguments(news);
  const { policy, undoAfterSeconds } = wanted;
  const formerPolicy = expectArguments(olds).policy;
  const { digest } = await withProvingWorld(wanted, [policy, formerPolicy], (world) =>
    changeHost({ policy, formerPolicy, owner: id, undoAfterSeconds }, world),
  );
  return { outs: { ...news, digest } };
}

export interface ReadResult {
  readonly id: string;
  readonly props?: Record<string, unknown>;
  readonly inputs?: Record<string, unknown>;
}

/** Returns what the host really has; an empty id when it has nothing of the policy any more. */
export async function read(id: string, props: Properties): Promise<ReadResult> {
  const { policy, connection } = expectArguments(props);
  const observed = await withWorld(connection, [policy], (world) => observe(policy, world));
  if (observed.confirmed === undefined && observed.loaded === undefined) return { id: "" };
  const ruleset = redactListing(describeLoaded(observed), policy, `${props["redactionKey"]}`);
  const confirmed = observed.confirmed;
  const isOurs = confirmed !== undefined && isUnchanged(observed) && confirmed.owner === id;
  const { digest: _, ...inputs } = props;
  return {
    id,
    props: { ...props, ruleset, digest: isOurs ? digestText(confirmed.text) : "" },
    inputs: { ...inputs, ruleset },
  };
}

async function observe(policy: Policy, world: World): Promise<Observed> {
  const reached = await reachHost(world.routes, [policy], true, world.dialing);
  try {
    return await observeHost(reached.connection, policy);
  } finally {
    reached.connection.close();
  }
}

async function remove(id: string, props: Properties): Promise<void> {
  const { policy, connection } = expectArguments(props);
  await withWorld(connection, [policy], (world) => removeFromHost(policy, id, world));
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
