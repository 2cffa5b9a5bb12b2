import { type Command, UsageError } from "../../framework/command.js";

export const command: Command = {
  name: "profile export",
  summary: "Print a profile, with its knock or key",
  description: [
    "Prints the profile's file. Of the `profile` commands, only this one shows a knock or a key. `knockgate profile add` reads the output. Send it to others only in a way in which you would send a key.",
    "`--as sh` prints a script instead that opens one gate without Knockgate: with sh, nc and, for echo requests, ping. For a token it also needs sha256sum or shasum, and it asks the gate's port until a token is taken. It can be the command that an app runs before it connects.",
    "`--as wg-quick` prints a line for the section `[Interface]` of wg-quick(8). wg-quick then opens the gate before it brings the tunnel up. It needs bash and coreutils.",
  ],
  arguments: [{ name: "NAME", about: "The profile.", completion: "profile" }],
  options: [
    {
      name: "as",
      value: "FORM",
      choices: ["sh", "wg-quick"],
      about: "Print a program that opens a gate, instead of the profile.",
    },
    {
      name: "gate",
      value: "GATE",
      about: "With `--as`: the gate. Default: the only one.",
    },
  ],
  examples: [
    {
      line: "(umask 077; knockgate profile export edge >edge.json)",
      about: "Into a file that only you can read",
    },
    {
      line: "(umask 077; knockgate profile export edge --gate ssh --as sh >open-edge; chmod u+x open-edge)",
      about: "A script for a machine without Knockgate",
    },
    {
      line: "knockgate profile export edge --gate wg --as wg-quick",
      about: "A line for /etc/wireguard/wg0.conf, which only root can read",
    },
  ],
  run: async (invocation, { environment }) => {
    const [{ loadProfile, writeProfile }, { KnockgateError }] = await Promise.all([
      import("../../profiles/profile-store.js"),
      import("../../../errors.js"),
    ]);
    const [name = ""] = invocation.arguments;
    const form = invocation.value("as");
    const gateName = invocation.value("gate");
    if (form === undefined && gateName !== undefined) throw new UsageError("--gate belongs to --as");
    const profile = await loadProfile(environment, name);
    if (profile === undefined) throw new KnockgateError("ARGUMENTS_INVALID", `there is no profile ${name}`);
    if (form === undefined) return { exitCode: 0, text: writeProfile(profile), json: profile };
    const { exportForms, writeExport } = await import("../../../knock/clients/exported-program.js");
    const { gates } = profile;
    const gate =
      gateName === undefined && gates.length === 1 ? gates[0] : gates.find((it) => it.gate === gateName);
    const known = exportForms.find((one) => one === form);
    if (gate === undefined || known === undefined) {
      const names = gates.map((it) => it.gate).join(", ") || "none";
      throw new UsageError(`name one of the profile's gates by --gate: ${names}`);
    }
    const text = writeExport(known, profile, gate);
    return { exitCode: 0, text, json: { name, gate: gate.gate, [form]: text } };
  },
};
