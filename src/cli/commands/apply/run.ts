import { changeHost } from "../../../change/change.js";
import { withProvingRoutes } from "../../../change/open-routes.js";
import type { ChangeRequest } from "../../../change/request.js";
import { checkUndoTime, chooseUndoTime } from "../../../change/undo-time.js";
import { KnockgateError } from "../../../errors.js";
import { listGates } from "../../../knock/clients/profile.js";
import { readSshEndpoint } from "../../../knock/clients/ssh-endpoint.js";
import { formatFindings } from "../../../policy/finding.js";
import { resolveConnection } from "../../../ssh/resolve.js";
import { lintWarnings } from "../../files/check-policy.js";
import {
  type CommandContext,
  type CommandOutcome,
  type Invocation,
  UsageError,
} from "../../framework/command.js";
import {
  commandLineOwner,
  expectFit,
  type HostCommandInput,
  readHostCommandInput,
} from "../../hosts/command-context.js";
import { sayWhenInterrupted } from "../../hosts/interruption.js";
import { showProgress } from "../../hosts/progress.js";
import { readConnectionFile } from "../../hosts/read-connection.js";
import { saveProfile } from "../../profiles/profile-store.js";
import { isProfileName } from "../../profiles/read-profile.js";

/** The time limit of a health command. */
const healthTimeoutSeconds = 30;

/** Runs `knockgate apply`. */
export async function runApply(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const kept = invocation.value("profile");
  if (kept !== undefined && !isProfileName(kept))
    throw new UsageError("--profile is not a name that a host can have");
  const hostInput = await readHostCommandInput(invocation, context);
  expectFit(hostInput);
  const { policy, connection, sshPort, gatedBy, behind, profile, openHop } = hostInput;
  const request = makeRequest(invocation, hostInput);
  const from = invocation.value("prove-from");
  const proveFrom = from === undefined ? undefined : await readConnectionFile(from, context.input);
  const isQuiet = invocation.has("json");
  const lines: string[] = [];
  const confirmed = await showProgress(context, isQuiet, request.undoAfterSeconds, (log) => {
    const tell = (line: string): void => {
      lines.push(line);
      log(line);
    };
    for (const warning of lintWarnings(policy)) tell(`warning: ${warning}`);
    const change = () =>
      withProvingRoutes({ connection, proveFrom, policy, behind, openHop }, gatedBy, tell, (context) =>
        changeHost(request, context),
      );
    return sayWhenInterrupted(() => tell(describeInterruption(request)), change);
  });
  const name = kept ?? profile?.name;
  const path = name === undefined ? undefined : await keepKnock(name, hostInput, context);
  const place = `${policy.name} on ${connection.host}:${sshPort}`;
  const keeping = path === undefined ? "" : `; its knock is kept in ${path}`;
  return {
    exitCode: 0,
    text: `${place}: the host has confirmed the policy${keeping}\n`,
    json: {
      host: connection.host,
      policy: policy.name,
      isConfirmed: true,
      obstacles: confirmed.obstacles,
      ...(path === undefined ? {} : { profile: name }),
      lines,
    },
  };
}

function makeRequest(invocation: Invocation, { policy, former, gatedBy }: HostCommandInput): ChangeRequest {
  const command = invocation.value("health-command");
  const health = command === undefined ? undefined : { command, timeoutSeconds: healthTimeoutSeconds };
  const given = invocation.value("undo-after");
  const undoAfterSeconds = given === undefined ? chooseUndoTime({ policy, health }) : Number(given);
  if (!Number.isInteger(undoAfterSeconds) || undoAfterSeconds < 10 || undoAfterSeconds > 86_400)
    throw new UsageError("--undo-after must be a number of seconds from 10 to 86400");
  const wrong = checkUndoTime({ policy, undoAfterSeconds, health });
  if (wrong.length > 0) throw new UsageError(`--undo-after: ${formatFindings(wrong)}`);
  return {
    policy,
    formerPolicies: former,
    gatedBy,
    owner: commandLineOwner,
    adopts: invocation.has("adopt"),
    undoAfterSeconds,
    health,
  };
}

function describeInterruption({ undoAfterSeconds }: ChangeRequest): string {
  return `interrupted: the host undoes what is not confirmed by itself within ${undoAfterSeconds} s; \`knockgate undo\` undoes it at once`;
}

/** Saves the knock in a profile: from now on the host opens only for it. */
async function keepKnock(
  name: string,
  { policy, connection, others }: HostCommandInput,
  { environment }: CommandContext,
): Promise<string> {
  try {
    const way = readSshEndpoint(await resolveConnection(connection, "HOST"));
    const gates = [...others, ...listGates(way, policy)];
    return await saveProfile(environment, { name, way, gates });
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
    const message = `the host has confirmed the policy, but profile ${name} could not be written${why}: it may hold another knock now. Run the same command again when the profile can be written`;
    throw new KnockgateError("HOST_UNFIT", message, { cause });
  }
}
