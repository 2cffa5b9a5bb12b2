import type { Reached } from "../../apply/reach.js";
import type { Profile } from "../../client/profile.js";
import { KnockgateError } from "../../errors.js";
import { parsePolicy } from "../../policy/parse.js";
import type { Policy } from "../../policy/policy.js";
import type { Connection } from "../../transport/connection.js";
import { takePolicy } from "../check-policy.js";
import type { Call, Surroundings } from "../command.js";
import { readPolicyFile } from "../policy-file.js";
import { readHostLogin } from "./read-connection.js";

/** Whose changes those of the command line are, whoever makes them: there is no state that could tell them apart. */
export const commandLineOwner = "knockgate-command-line";

/** What a command is to do with a host. Secret. */
export interface Errand {
  readonly policy: Policy;
  readonly connection: Connection;
  /** What `--former` names. */
  readonly former: readonly Policy[];
  /** What the host may be gated by, likeliest first. */
  readonly gatedBy: readonly Policy[];
  readonly profile: Profile | undefined;
}

/**
 * Reads FILE, HOST and the options with them.
 *
 * @throws UsageError, KnockgateError `POLICY_INVALID`, `ARGUMENTS_INVALID`
 */
export async function readErrand(
  call: Call,
  surroundings: Surroundings,
  [file = "", host]: readonly (string | undefined)[] = call.arguments,
): Promise<Errand> {
  const { input } = surroundings;
  const policy = takePolicy(await readPolicyFile(file, input));
  const named = call.value("former");
  const former = named === undefined ? [] : [takePolicy(await readPolicyFile(named, input))];
  const { connection, profile } = await readHostLogin(host, call, surroundings);
  const kept = profile === undefined ? [] : [toPolicy(profile, policy.name)];
  return { policy, connection, former, gatedBy: [...former, ...kept, policy], profile };
}

/** A policy with a profile's gates: good for its knocks, and for nothing else. */
function toPolicy({ name, gates }: Profile, policyName: string): Policy {
  const reading = parsePolicy({
    name: policyName,
    gates: gates.map(({ gate, protect, steps, stepTimeoutSeconds, openForSeconds }) => {
      return { name: gate, protect, knock: { steps, stepTimeoutSeconds }, openForSeconds };
    }),
  });
  if (reading.kind === "policy") return reading.policy;
  throw new KnockgateError("ARGUMENTS_INVALID", `profile ${name}: its gates are none that a host could have`);
}

/** What a line about a host begins with. */
export function namePlace({ policy }: Errand, { route }: Reached): string {
  return `${policy.name} on ${route.name}`;
}
