import { KnockgateError } from "../../../errors.js";
import type { Profile } from "../../../knock/clients/profile.js";
import { writeProxyBlock } from "../../../knock/clients/proxy-block.js";
import { writeStandalone } from "../../../knock/clients/standalone.js";
import {
  type CommandContext,
  type CommandOutcome,
  type Invocation,
  UsageError,
} from "../../framework/command.js";
import { listProfiles, loadProfile } from "../../profiles/profile-store.js";

/** Runs `knockgate ssh-config`. */
export async function writeSshConfiguration(
  invocation: Invocation,
  { environment, note }: Pick<CommandContext, "environment" | "note">,
): Promise<CommandOutcome> {
  const program = invocation.value("program");
  const isStandalone = invocation.has("standalone");
  if (isStandalone && program !== undefined)
    throw new UsageError("--program and --standalone can't be used together");
  const names = invocation.arguments.length > 0 ? invocation.arguments : await listProfiles(environment);
  const profiles = await Promise.all(
    names.map(async (name) => (await loadProfile(environment, name)) ?? refuse(name)),
  );
  if (isStandalone) return writeScript(profiles, note);
  const blocks = profiles.map((profile) =>
    writeProxyBlock(profile, [program ?? "knockgate", `proxy ${profile.name}`]),
  );
  return {
    exitCode: 0,
    text: blocks.join("\n"),
    json: profiles.map(({ name }, index) => ({ name, block: blocks[index] })),
  };
}

function writeScript(profiles: readonly Profile[], note: CommandContext["note"]): CommandOutcome {
  const names = [...new Set(profiles.map(({ name }) => name))];
  const script = writeStandalone(names.flatMap((name) => profiles.find((one) => one.name === name) ?? []));
  note(
    `warning: whoever can read this script can open ${names.join(", ")}: keep it in a file of mode 0600 (umask 077)`,
  );
  return { exitCode: 0, text: script, json: { names, script } };
}

function refuse(name: string): never {
  throw new KnockgateError("ARGUMENTS_INVALID", `there is no profile ${name}`);
}
