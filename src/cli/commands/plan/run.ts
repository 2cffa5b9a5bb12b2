import { planLoad } from "../../../backends/load.js";
import { renderRedacted } from "../../../backends/redact.js";
import { renderPolicy } from "../../../backends/render.js";
import { describeDifferences } from "../../../change/describe.js";
import { checkLockout, checkPreflight } from "../../../change/preflight.js";
import { checkDeployUser, checkTokenHost } from "../../../change/token-host.js";
import { withHost } from "../../../change/with-host.js";
import { makeRedaction, showOwner } from "../../../host/describe-drift.js";
import { assessDrift, type Drift } from "../../../host/drift.js";
import { describeLoaded } from "../../../host/loaded-text.js";
import type { Observed } from "../../../host/observed.js";
import { findObstacles } from "../../../host/other-rules/obstacles.js";
import { observeHost } from "../../../host/script/observe.js";
import { digestText } from "../../../policy/digest.js";
import type { Policy } from "../../../policy/policy.js";
import { makeRedactionKey } from "../../files/redaction-key.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import { compareTexts } from "../../framework/compare-texts.js";
import {
  commandLineOwner,
  expectFit,
  type HostCommandInput,
  nameHost,
  readHostCommandInput,
} from "../../hosts/command-context.js";

/** Runs `knockgate plan`. */
export async function runPlan(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const hostInput = await readHostCommandInput(invocation, context);
  expectFit(hostInput);
  return withHost(hostInput, context.note, async (reached) => {
    const observed = await observeHost(reached.connection, hostInput.policy);
    checkPreflight(observed);
    checkTokenHost(observed, hostInput.policy, Date.now());
    checkLockout(observed, hostInput.policy, {
      sshPort: hostInput.sshPort,
      isProvenElsewhere: false,
    });
    checkDeployUser(observed, hostInput.policy, hostInput.sshPort);
    const place = nameHost(hostInput, reached);
    return describePlan(place, hostInput, observed, invocation.has("show-secrets"), context);
  });
}

function describePlan(
  place: string,
  { policy, connection, former, gatedBy }: HostCommandInput,
  observed: Observed,
  showSecrets: boolean,
  context: CommandContext,
): CommandOutcome {
  const { host } = connection;
  const digest = digestText(renderPolicy(policy));
  const drift = assessDrift(observed, { policy, host, digest, owner: commandLineOwner });
  const obstacles = findObstacles(observed, policy);
  const request = { policy, formerPolicies: former, owner: commandLineOwner, undoAfterSeconds: 0 };
  const lines = [
    ...listActs(observed, drift, policy),
    ...describeDifferences(observed, request, obstacles, host),
  ];
  const key = makeRedactionKey();
  const has = describeLoaded(observed);
  const before = showSecrets ? has : hideSecrets(has, observed, [policy, ...gatedBy], host, key);
  const after = showSecrets ? renderPolicy(policy) : renderRedacted(policy, key);
  const patch = compareTexts({ name: place, text: before }, { name: "the policy", text: after });
  const said = lines.map((line) => `${place}: ${line}\n`).join("");
  return {
    exitCode: drift.length === 0 ? 0 : 1,
    text: `${patch.colour(context.paint)}${said}`,
    json: { policy: policy.name, isDue: drift.length > 0, patch: patch.text, lines },
  };
}

/** Masks the steps. If the host's policy is known, a step that both rulesets have gets the same label. */
function hideSecrets(
  text: string,
  observed: Observed,
  [policy, ...others]: readonly [Policy, ...Policy[]],
  host: string,
  key: string,
): string {
  const has = others.find((other) => renderPolicy(other) === observed.confirmed?.text) ?? policy;
  const digest = digestText(renderPolicy(has));
  const owner = observed.confirmed?.owner ?? "";
  return makeRedaction(assessDrift(observed, { policy: has, host, digest, owner }), has, key)(text);
}

/** Says what `knockgate apply` would do. */
function listActs(observed: Observed, drift: readonly Drift[], policy: Policy): readonly string[] {
  if (drift.length === 0) return ["the host has this ruleset confirmed and loaded; nothing to change"];
  if (observed.pendingId !== undefined) {
    return ["another change is pending: `knockgate apply` would be refused until the host has undone it"];
  }
  const { confirmed } = observed;
  const isSame = confirmed !== undefined && confirmed.text === renderPolicy(policy);
  if (isSame && drift.every(({ kind }) => kind === "another owner")) {
    return [`only the owner would change: it is ${showOwner(confirmed.owner)} now; open doors stay open`];
  }
  const { kind } = planLoad(policy, observed.loaded, observed.clientAddress);
  const doors =
    observed.loaded === undefined
      ? ""
      : kind === "refill"
        ? "; open doors stay open"
        : "; open doors would be closed";
  const isOthers = !isSame && confirmed !== undefined && confirmed.owner !== commandLineOwner;
  return [
    `the ruleset would be loaded, proven and confirmed${doors}`,
    ...(isOthers ? [`its owner is ${showOwner(confirmed.owner)}: that needs --adopt`] : []),
  ];
}
