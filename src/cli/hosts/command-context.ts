import { listOtherGates, type OtherGate, readOtherGate } from "../../change/behind.js";
import { crossCheckConnection } from "../../change/cross-check-connection.js";
import type { Reached } from "../../change/reach.js";
import { KnockgateError } from "../../errors.js";
import type { Profile, ProfileGate } from "../../knock/clients/profile.js";
import { formatFindings } from "../../policy/finding.js";
import { findGate, isProtected } from "../../policy/gate.js";
import { parsePolicy } from "../../policy/parse.js";
import type { Policy } from "../../policy/policy.js";
import { writePolicy } from "../../policy/written-policy.js";
import type { Connection } from "../../ssh/connection.js";
import { takePolicy } from "../files/check-policy.js";
import { readPolicyFile } from "../files/policy-file.js";
import type { CommandContext, Invocation } from "../framework/command.js";
import { type HostLogin, readHostLogin } from "./read-connection.js";

/** The owner of all changes from the command line, whoever makes them: no state could tell the users apart. */
export const commandLineOwner = "knockgate-command-line";

/** What a command does with a host. Secret. */
export interface HostCommandInput {
  readonly policy: Policy;
  readonly connection: Connection;
  readonly sshPort: number;
  readonly openHop: HostLogin["openHop"];
  /** The policy that `--former` names, if any. */
  readonly former: readonly Policy[];
  /** The policies that may gate the host, likeliest first. */
  readonly gatedBy: readonly Policy[];
  /** Gates of other policies that SSH is behind: those that `--behind` names, and those that only the profile knows. */
  readonly behind: readonly OtherGate[];
  /** The profile's gates that SSH is behind and that do not belong to the policy. */
  readonly others: readonly ProfileGate[];
  readonly profile: Profile | undefined;
}

/**
 * Reads FILE, HOST and the options that belong to them.
 *
 * @throws UsageError, KnockgateError `POLICY_INVALID`, `ARGUMENTS_INVALID`
 */
export async function readHostCommandInput(
  invocation: Invocation,
  context: CommandContext,
  [file = "", host]: readonly (string | undefined)[] = invocation.arguments,
): Promise<HostCommandInput> {
  const { input } = context;
  const policy = takePolicy(await readPolicyFile(file, input));
  const earlier = invocation.value("former");
  const former = earlier === undefined ? [] : [takePolicy(await readPolicyFile(earlier, input))];
  const { connection, sshPort, profile, openHop } = await readHostLogin(host, invocation, context);
  const named = await Promise.all(invocation.values("behind").map((path) => readPolicyFile(path, input)));
  const behind = named.flatMap((read) => listOtherGates(takePolicy(read), connection.host));
  const own = [...former, policy];
  const others = profile === undefined ? [] : listOthers(profile, own, sshPort);
  const kept = profile === undefined || others.length > 0 ? [] : [toPolicy(profile, policy.name)];
  const gatedBy = [...former, ...kept, policy];
  return {
    policy,
    connection,
    sshPort,
    former,
    gatedBy,
    behind: [...behind, ...others.map(readOtherGate)],
    others,
    profile,
    openHop,
  };
}

/**
 * Checks that a change of the host is possible, before the host is contacted.
 *
 * @throws KnockgateError `POLICY_INVALID`
 */
export function expectFit({ policy, connection }: HostCommandInput): void {
  const findings = crossCheckConnection(writePolicy(policy), connection);
  if (findings.length > 0) throw new KnockgateError("POLICY_INVALID", formatFindings(findings));
}

/** If no gate of the policy protects SSH, the profile's gate that does belongs to another policy. */
function listOthers({ gates }: Profile, own: readonly Policy[], port: number): readonly ProfileGate[] {
  if (own.some((policy) => findGate(policy, port) !== undefined)) return [];
  const names = own.flatMap((policy) => policy.gates.map((gate) => gate.name));
  return gates.filter((gate) => isProtected(gate, "tcp", port) && !names.includes(gate.gate));
}

/** Makes the policy whose tokens open a profile's gates. `undefined`: a profile has no such gate. */
export function readProfilePolicy(profile: Profile): Policy | undefined {
  const name = profile.gates.find(({ policy }) => policy !== undefined)?.policy;
  return name === undefined ? undefined : toPolicy(profile, name);
}

/** Makes a policy with a profile's gates. Only its knocks may be used. */
function toPolicy({ name, gates }: Profile, policyName: string): Policy {
  const reading = parsePolicy({
    name: policyName,
    gates: gates.map(({ gate, protect, steps, stepTimeoutSeconds, token, openForSeconds }) => {
      const knock = token === undefined ? { steps, stepTimeoutSeconds } : { token };
      return { name: gate, protect, knock, openForSeconds };
    }),
    ...listTokenFields(gates),
  });
  if (reading.kind === "policy") return reading.policy;
  throw new KnockgateError("ARGUMENTS_INVALID", `profile ${name}: its gates are not valid`);
}

/** A profile has the tokens of one user, who has one key for all gates of a policy. */
function listTokenFields(gates: readonly ProfileGate[]) {
  const opened = gates.filter(({ token }) => token !== undefined);
  const [first] = opened;
  if (first === undefined) return {};
  const users = [{ name: first.user, key: first.key, gates: opened.map(({ gate }) => gate) }];
  return { users, tokens: first.tokens };
}

/** The beginning of a line about a host. */
export function nameHost({ policy }: HostCommandInput, { route }: Reached): string {
  return `${policy.name} on ${route.name}`;
}
