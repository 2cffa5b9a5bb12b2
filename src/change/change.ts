import { isIP } from "node:net";
import type { Load } from "../backends/backend.js";
import { nameOnHost } from "../backends/backends.js";
import { planLoad } from "../backends/load.js";
import { renderPolicy } from "../backends/render.js";
import { writeTokenSource } from "../backends/token-source.js";
import { nameObstacle } from "../host/drift.js";
import type { Observed } from "../host/observed.js";
import { findObstacles } from "../host/other-rules/obstacles.js";
import { countPackets, observeHost } from "../host/script/observe.js";
import { commandProgram, scriptExitCodes, stageProgram } from "../host/script/program.js";
import { readClock, readTokens } from "../host/script/read-tokens.js";
import { limitFillMs } from "../host/tokens.js";
import { digestText } from "../policy/digest.js";
import type { Policy } from "../policy/policy.js";
import type { HostConnection, Program } from "../ssh/host.js";
import { confirmChange } from "./confirm.js";
import { readLoadedCounts } from "./counted.js";
import { blameObstacles, describeConfirmed, describeDifferences, describeObserved } from "./describe.js";
import { limitCommandMs } from "./duration.js";
import { concludeFailure, refuseUntouched } from "./failure.js";
import { checkHealth } from "./health.js";
import { keepLoaded } from "./keep.js";
import { checkLockout, checkPreflight } from "./preflight.js";
import { proveGates } from "./prove/prove.js";
import { makeFindSource } from "./prove/trace-knock.js";
import { reachHost } from "./reach.js";
import { describeReplaced, listReplaced } from "./replaced.js";
import type { ChangeContext, ChangeRequest, Confirmed } from "./request.js";
import { type ChangeStep, failStep, isDone, runStep } from "./step.js";
import {
  checkDeployUser,
  checkTokenHost,
  describeHorizon,
  learnTokens,
  listTokenWarnings,
} from "./token-host.js";

/**
 * Brings a policy to a host in one transaction: connect, stage, arm, load, prove, confirm. When it throws, the host has
 * its former ruleset, or its own timer will restore that, unless the answer to the confirm was lost; the message says
 * which.
 *
 * @throws KnockgateError
 */
export async function changeHost(request: ChangeRequest, context: ChangeContext): Promise<Confirmed> {
  const { policy, formerPolicies = [], gatedBy = [], owner, undoAfterSeconds } = request;
  const text = renderPolicy(policy);
  const digest = digestText(text);
  const gating = [...formerPolicies, ...gatedBy];
  const place = `policy ${policy.name} on ${context.routes.map((route) => route.name).join(", ")}`;
  const { dialing } = context;
  const reached = await reachHost(context.routes, [...gating, policy], gating.length > 0, dialing).catch(
    (cause: unknown) => refuseUntouched(place, cause),
  );
  const { connection, route } = reached;
  const log = (line: string): void => context.log(`${policy.name} on ${route.name}: ${line}`);
  let step: ChangeStep = "1/6 connect";
  const tell = (words: string): void => log(`${step}: ${words}`);
  try {
    const observed = await observeSettled(connection, policy, context).catch((cause: unknown) =>
      refuseUntouched(place, cause),
    );
    tell(describeObserved(observed, policy));
    const obstacles = findObstacles(observed, policy);
    for (const line of describeDifferences(observed, request, obstacles, dialing.host)) tell(line);
    for (const line of listTokenWarnings(observed, policy, context.now())) tell(`warning: ${line}`);
    const confirmed = { digest, obstacles: obstacles.map(nameObstacle) };
    const wanted = { text, digest, host: dialing.host };
    const kept = await keepLoaded(connection, observed, request, wanted).catch((cause: unknown) =>
      refuseUntouched(place, cause),
    );
    if (kept !== undefined) {
      for (const line of [kept, ...describeHorizon(observed.tokens)]) log(line);
      return confirmed;
    }
    const id = context.newId();
    const load = planLoad(policy, observed.loaded, observed.clientAddress, listSources(context));
    const planReplacement = () => planLoad(policy, undefined, observed.clientAddress);
    const backend = nameOnHost(policy);
    const replaces = listReplaced(policy, formerPolicies);
    const tokens = writeTokenSource(policy, dialing.host);
    const { lister } = observed;
    const staged = { ruleset: text, owner, backend, lister, undoAfterSeconds, replaces, tokens };
    const programOf = ({ text: loadText }: Load) =>
      stageProgram(policy.name, id, digest, { ...staged, load: loadText });
    const limitMs = limitCommandMs(text) + limitFillMs(policy);
    const run = (program: Program) => runStep(connection, program, policy, limitMs);
    try {
      step = "2/6 stage";
      const kind = await stageLoad(connection, load, planReplacement, programOf, policy, limitMs);
      // The host's time runs from now on.
      const stagedMs = performance.now();
      tell(`the host's own ${policy.backend} accepts the ruleset`);
      step = "3/6 arm";
      const armed = await run(commandProgram(["arm", policy.name, id]));
      tell(`the host undoes the change by itself in ${undoAfterSeconds} s unless it is confirmed`);
      for (const line of describeReplaced(armed, policy)) tell(line);
      step = "4/6 load";
      const loaded = await run(commandProgram(["load", policy.name, id]));
      tell(
        kind === "refill" ? "the new ruleset is loaded; open doors stay open" : "the new ruleset is loaded",
      );
      const held = readTokens(loaded);
      for (const line of describeHorizon(held)) tell(line);
      learnTokens(dialing.purse, policy, dialing.host, held, readClock(loaded));
      step = "5/6 prove";
      const fresh = await proveGates(policy, {
        route,
        prober: context.prober ?? route,
        others: context.prober?.others ?? context.routes.filter((other) => other !== route),
        cutOff: context.prober?.cutOff ?? context.cutOff ?? [],
        hostAddresses: observed.addresses ?? [],
        // The other 40 % is for what follows, above all a health command.
        hasTime: () => performance.now() - stagedMs < undoAfterSeconds * 600,
        host: dialing.host,
        purse: dialing.purse,
        sshPort: dialing.port,
        behind: dialing.behind ?? [],
        clientAddress: observed.clientAddress,
        dialMs: reached.dialMs,
        counted: readLoadedCounts(policy, kind, observed, loaded) ?? (await countPackets(connection, policy)),
        findSource: makeFindSource(connection, policy),
        countPackets: () => countPackets(connection, policy),
        log: tell,
      });
      try {
        await checkHealth(fresh, request, tell);
        step = "6/6 confirm";
        await confirmChange(fresh, policy, id, digest, limitMs);
      } finally {
        fresh.close();
      }
      tell(describeConfirmed(observed));
      return confirmed;
    } catch (cause) {
      const blamed = blameObstacles(cause, obstacles);
      return await concludeFailure(blamed, { request, context, reached, id, confirmed, step, log });
    }
  } finally {
    connection.close();
  }
}

/** Lists the known addresses that the gates are tried from: an earlier knock may have opened a gate for one of them. */
function listSources({ routes, prober }: ChangeContext): readonly string[] {
  const probers = prober === undefined ? routes : [prober, ...prober.others];
  return probers.flatMap(({ address }) => (address === undefined || !isPlain(address) ? [] : [address]));
}

/** A zone names a network interface of this machine, and means nothing to the host. */
function isPlain(address: string): boolean {
  return isIP(address) !== 0 && !address.includes("%");
}

/** Finishes an earlier change first: staging would do it anyway, and the observation would then be stale. */
async function observeSettled(
  connection: HostConnection,
  policy: Policy,
  { prober, dialing, now }: ChangeContext,
): Promise<Observed> {
  const observed = await observeHost(connection, policy);
  checkPreflight(observed);
  checkTokenHost(observed, policy, now());
  checkLockout(observed, policy, { sshPort: dialing.port, isProvenElsewhere: prober !== undefined });
  checkDeployUser(observed, policy, dialing.port);
  if (observed.pendingId === undefined) return observed;
  await runStep(
    connection,
    commandProgram(["settle", policy.name]),
    policy,
    limitCommandMs("") + limitFillMs(policy),
  );
  return observeHost(connection, policy);
}

/**
 * Stages a load. What somebody added to our table can make a refill fail. Then stages a replacement of the table, which
 * always works.
 */
async function stageLoad(
  connection: HostConnection,
  load: Load,
  planReplacement: () => Load,
  programOf: (load: Load) => Program,
  policy: Policy,
  limitMs: number,
): Promise<Load["kind"]> {
  const result = await connection.run(programOf(load), limitMs);
  if (isDone(result)) return load.kind;
  if (!load.dependsOnLoaded || result.code !== scriptExitCodes.refused) failStep(result, policy);
  const replacement = planReplacement();
  await runStep(connection, programOf(replacement), policy, limitMs);
  return replacement.kind;
}
