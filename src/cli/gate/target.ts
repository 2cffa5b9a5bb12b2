import { KnockgateError } from "../../errors.js";
import { type ClientKnock, readClientKnock } from "../../knock/clients/client-knock.js";
import type { Profile, ProfileGate } from "../../knock/clients/profile.js";
import type { SshEndpoint } from "../../knock/clients/ssh-endpoint.js";
import { isInPortRange } from "../../policy/port.js";
import { listProtected } from "../../policy/protect.js";
import { type CommandContext, type Invocation, UsageError } from "../framework/command.js";
import { readStepWord } from "./step-word.js";

/** What to send, and where. */
export interface Target {
  readonly way: SshEndpoint;
  /**
   * The gate's name, for messages; `undefined` when the steps were given on the command line, or no gate protects the
   * port.
   */
  readonly gate: string | undefined;
  /** The TCP port that shows whether the gate is open; `undefined` when none does. */
  readonly port: number | undefined;
  /** Nothing when no gate protects the port. */
  readonly knock: ClientKnock;
  /** Whether each opening lets in one connection, so that asking the port would use it up. */
  readonly isSingle: boolean;
}

/**
 * Whether an SSH server should answer on the port: it is port 22, or the SSH port of the profile whose gate is opened.
 */
export function isSshPort({ way, gate, port }: Pick<Target, "way" | "gate" | "port">): boolean {
  return port === 22 || (gate !== undefined && port === way.port);
}

/**
 * Finds out what to send, and where.
 *
 * @param host a profile's name, or the host of a profile; with `--step` any host
 * @param port the port that the user wants to reach
 * @throws UsageError, KnockgateError `ARGUMENTS_INVALID`
 */
export async function findTarget(
  host: string,
  port: number | undefined,
  invocation: Invocation,
  context: Pick<CommandContext, "environment" | "input">,
): Promise<Target> {
  const words = invocation.values("step");
  if (words.length > 0 && invocation.has("stack"))
    throw new UsageError("--step and --stack can't be used together");
  if (words.length > 0) {
    const steps = words.map((word, index) => readStepWord(word, index + 1));
    const way = { host, port: port ?? 22, user: "root" };
    return { way, gate: undefined, port: way.port, knock: { kind: "sequence", steps }, isSingle: false };
  }
  // Reading `surroundings.input` opens standard input, so that happens only where it is needed.
  const profile = invocation.has("stack")
    ? await readFromStack(host, context.input)
    : await findProfile(host, context.environment);
  return choosePort(profile, port, invocation.value("gate"));
}

async function readFromStack(host: string, input: CommandContext["input"]): Promise<Profile> {
  const [{ readStackOutput }, { readInput }] = await Promise.all([
    import("../profiles/stack-output.js"),
    import("../files/read-input.js"),
  ]);
  const profiles = readStackOutput(await readInput(input));
  return chooseProfile(host, profiles, "the outputs have");
}

async function findProfile(host: string, environment: CommandContext["environment"]): Promise<Profile> {
  // Loaded only here: a knock from the command line reads no file.
  const { listProfiles, loadProfile } = await import("../profiles/profile-store.js");
  const named = await loadProfile(environment, host);
  if (named !== undefined) return named;
  const names = await listProfiles(environment);
  const all = await Promise.all(names.map((name) => loadProfile(environment, name)));
  return chooseProfile(
    host,
    all.filter((profile) => profile !== undefined),
    "there is",
  );
}

function chooseProfile(host: string, profiles: readonly Profile[], where: string): Profile {
  const named = profiles.find(({ name }) => name === host);
  const reached = profiles.filter(({ way }) => way.host === host);
  const [only] = named === undefined ? reached : [named];
  if (only !== undefined && (named !== undefined || reached.length === 1)) return only;
  const why =
    reached.length > 1
      ? `${host} is the host of ${reached.map(({ name }) => name).join(", ")}: name one of them`
      : `${where} no profile of ${host}: knockgate profile add makes one, or give the steps by --step`;
  throw new KnockgateError("ARGUMENTS_INVALID", why);
}

/** Chooses the named gate, else the gate of the wanted port, else that of SSH, else the only one. */
function choosePort(
  { way, gates, name }: Profile,
  wanted: number | undefined,
  gateName: string | undefined,
): Target {
  const port = wanted ?? way.port;
  const behind = gates.find((gate) => listProtected(gate, "tcp").some((range) => isInPortRange(port, range)));
  if (gateName !== undefined || (wanted === undefined && behind === undefined)) {
    const gate =
      gateName === undefined && gates.length === 1 ? gates[0] : gates.find((it) => it.gate === gateName);
    if (gate !== undefined) return toTarget(way, gate, wanted ?? listProtected(gate, "tcp")[0]?.first);
    const names = gates.map((it) => it.gate).join(", ") || "none";
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      `profile ${name}: name one of its gates by --gate: ${names}`,
    );
  }
  if (behind !== undefined) return toTarget(way, behind, port);
  return { way, gate: undefined, port, knock: { kind: "sequence", steps: [] }, isSingle: false };
}

function toTarget(way: SshEndpoint, gate: ProfileGate, port: number | undefined): Target {
  const { singleConnection: isSingle = false } = gate;
  return { way, gate: gate.gate, port, knock: readClientKnock(gate), isSingle };
}
