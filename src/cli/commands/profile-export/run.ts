import { KnockgateError } from "../../../errors.js";
import { exportForms, writeExport } from "../../../knock/clients/exported-program.js";
import type { Profile, ProfileGate } from "../../../knock/clients/profile.js";
import {
  type CommandContext,
  type CommandOutcome,
  type Invocation,
  UsageError,
} from "../../framework/command.js";
import { loadProfile, writeProfile } from "../../profiles/profile-store.js";

export async function exportProfile(
  invocation: Invocation,
  context: Pick<CommandContext, "environment" | "note" | "columns" | "paint">,
): Promise<CommandOutcome> {
  const [name = ""] = invocation.arguments;
  const form = invocation.value("as");
  const gate = invocation.value("gate");
  if (form === undefined && gate !== undefined) throw new UsageError("--gate belongs to --as");
  const profile = await loadProfile(context.environment, name);
  if (profile === undefined) throw new KnockgateError("ARGUMENTS_INVALID", `there is no profile ${name}`);
  if (form === undefined) return { exitCode: 0, text: writeProfile(profile), json: profile };
  const program = exportForms.find((one) => one === form);
  if (program !== undefined) {
    const only = chooseGate(profile, gate);
    const text = writeExport(program, profile, only);
    return { exitCode: 0, text, json: { name, gate: only.gate, [program]: text } };
  }
  const gates = gate === undefined ? profile.gates : [chooseGate(profile, gate)];
  return exportPicture({ ...profile, gates }, context);
}

/** The gate of a name, or the only one. */
function chooseGate({ gates }: Profile, name: string | undefined): ProfileGate {
  const gate = name === undefined && gates.length === 1 ? gates[0] : gates.find((it) => it.gate === name);
  if (gate !== undefined) return gate;
  const names = gates.map((it) => it.gate).join(", ") || "none";
  throw new UsageError(`name one of the profile's gates by --gate: ${names}`);
}

async function exportPicture(
  profile: Profile,
  { note, columns, paint }: Pick<CommandContext, "note" | "columns" | "paint">,
): Promise<CommandOutcome> {
  const { drawPicture, writePictureText } = await import("./picture.js");
  const { name, gates } = profile;
  const qr = writePictureText(profile);
  const lines = drawPicture(name, qr, columns);
  const names = gates.map(({ gate }) => gate).join(", ");
  note(`warning: whoever sees this picture can open ${name} (${names}): clear the terminal when it was read`);
  const text = lines.map((line) => `${paint("whiteOnBlack", line)}\n`).join("");
  return { exitCode: 0, text, json: { name, gates: gates.map(({ gate }) => gate), qr } };
}
