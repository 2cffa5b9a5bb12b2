import { renderPolicy } from "../../../backends/render.js";
import { describeObserved, hostWarnings } from "../../../change/describe.js";
import { withHost } from "../../../change/with-host.js";
import { describeDrift, makeRedaction, showOwner } from "../../../host/describe-drift.js";
import { assessDrift } from "../../../host/drift.js";
import type { Observed } from "../../../host/observed.js";
import { findObstacles } from "../../../host/other-rules/obstacles.js";
import { askOpenings, countPackets, observeHost } from "../../../host/script/observe.js";
import type { LoggedOpenings } from "../../../host/tokens.js";
import type { Counts, GateCounts } from "../../../policy/counts.js";
import { digestText } from "../../../policy/digest.js";
import type { Policy } from "../../../policy/policy.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import {
  expectFit,
  type HostCommandInput,
  nameHost,
  readHostCommandInput,
} from "../../hosts/command-context.js";
import { describeUsers, findTokenTrouble, listUserFields } from "../../hosts/describe-users.js";

/** What a host has said. */
interface Asked {
  readonly observed: Observed;
  readonly counts: Counts | undefined;
  readonly logged: LoggedOpenings | undefined;
}

/** Runs `knockgate status`. */
export async function runStatus(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const hostInput = await readHostCommandInput(invocation, context);
  expectFit(hostInput);
  return withHost(hostInput, context.note, async (reached) => {
    const { policy } = hostInput;
    const observed = await observeHost(reached.connection, policy);
    const counts = await countPackets(reached.connection, policy);
    const logged = observed.tokens && (await askOpenings(reached.connection, policy));
    return describeStatus(nameHost(hostInput, reached), hostInput, { observed, counts, logged });
  });
}

function describeStatus(
  place: string,
  { policy, connection }: HostCommandInput,
  { observed, counts, logged }: Asked,
): CommandOutcome {
  const drift = listDrift(observed, policy, connection.host);
  const warnings = [
    ...hostWarnings(observed, policy, findObstacles(observed, policy)),
    ...warnOfTokens(observed, policy),
  ];
  const owner = observed.confirmed === undefined ? undefined : showOwner(observed.confirmed.owner);
  const said =
    drift.length === 0 ? ["the host has what the policy says"] : drift.map((line) => `drift: ${line}`);
  const lines = [
    describeObserved(observed, policy),
    ...(owner === undefined ? [] : [`owner: ${owner}`]),
    ...said,
    ...warnings.map((line) => `warning: ${line}`),
    ...policy.gates.map(({ name }) => `gate ${name}: ${describeCounts(counts?.get(name))}`),
    ...(observed.tokens === undefined ? [] : describeUsers(observed.tokens, logged)),
  ];
  return {
    exitCode: drift.length === 0 ? 0 : 1,
    text: lines.map((line) => `${place}: ${line}\n`).join(""),
    json: {
      host: place.slice(`${policy.name} on `.length),
      policy: policy.name,
      isAsDeclared: drift.length === 0,
      isPending: observed.pendingId !== undefined,
      ...(owner === undefined ? {} : { owner }),
      drift,
      warnings,
      ...(counts === undefined ? {} : { counters: Object.fromEntries(counts) }),
      ...(observed.tokens === undefined ? {} : listUserFields(observed.tokens, logged)),
    },
  };
}

function warnOfTokens({ tokens, clock = Date.now() / 1_000 }: Observed, policy: Policy): readonly string[] {
  return tokens === undefined ? [] : findTokenTrouble(tokens, clock, policy.tokens.horizonDays * 86_400);
}

/** Lists the drift without the owner, which has a line of its own. */
function listDrift(observed: Observed, policy: Policy, host: string): readonly string[] {
  const owner = observed.confirmed?.owner ?? "";
  const digest = digestText(renderPolicy(policy));
  const found = assessDrift(observed, { policy, host, digest, owner });
  const redact = makeRedaction(found, policy);
  return found.flatMap((drift) =>
    drift.kind === "unknown change"
      ? ["the host has confirmed another ruleset than this policy's: `knockgate plan` shows how it differs"]
      : describeDrift([drift], policy, redact),
  );
}

function describeCounts(counts: GateCounts | undefined): string {
  if (counts === undefined) return "the host counts no packets of this gate";
  const { accepted, dropped, opened, reset } = counts;
  const rest = opened === undefined ? "" : `, ${opened} opened, ${reset} reset`;
  return `${accepted} accepted, ${dropped} dropped${rest} since it was loaded`;
}
