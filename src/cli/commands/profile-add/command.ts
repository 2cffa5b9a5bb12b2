import { type Command, UsageError } from "../../framework/command.js";

export const command: Command = {
  name: "profile add",
  summary: "Keep what is needed to knock at a host, from a stack's outputs",
  description: [
    "Reads what `pulumi stack output --show-secrets --json` prints, and writes one file for each gated host in it. It finds a host where an output is or contains a gate's `profile`, such as a fleet's `profiles`. It also reads what `knockgate profile export` prints. A profile has the name that the block of `sshConfig` has for the host. An existing profile of that name is replaced.",
    "The files contain the knock, or the key of one user whose tokens open the gates, and have mode 0600. They are in `$XDG_CONFIG_HOME/knockgate/profiles` (`~/.config` if that is not set), which has mode 0700. Nobody ever sees a half-written file. The output of this command contains neither.",
  ],
  arguments: [{ name: "FILE", about: "The outputs; - reads standard input.", completion: "file" }],
  options: [{ name: "name", value: "NAME", about: "The name of the profile, if there is only one host." }],
  examples: [
    {
      line: "pulumi stack output --show-secrets --json | knockgate profile add -",
      about: "All gated hosts of a stack, without a file in between",
    },
  ],
  run: async (invocation, { environment, input }) => {
    const [{ saveProfile }, { readStackOutput }, { readInput }, { openText }] = await Promise.all([
      import("../../profiles/profile-store.js"),
      import("../../profiles/stack-output.js"),
      import("../../files/read-input.js"),
      import("../../files/open-text.js"),
    ]);
    const [file = "-"] = invocation.arguments;
    const found = readStackOutput(file === "-" ? await readInput(input) : await openText(file));
    const name = invocation.value("name");
    if (name !== undefined && found.length > 1)
      throw new UsageError(`--name is for one host, but there are ${found.length}`);
    const { isProfileName } = await import("../../profiles/read-profile.js");
    if (name !== undefined && !isProfileName(name))
      throw new UsageError("--name is not a name that a host can have");
    const profiles = found.map((profile) => ({ ...profile, name: name ?? profile.name }));
    const kept: { name: string; file: string; gates: readonly string[] }[] = [];
    for (const profile of profiles) {
      const path = await saveProfile(environment, profile);
      kept.push({ name: profile.name, file: path, gates: profile.gates.map(({ gate }) => gate) });
    }
    const text = kept
      .map((it) => `${it.name}: kept in ${it.file} (${it.gates.join(", ") || "no gate"})\n`)
      .join("");
    return { exitCode: 0, text, json: kept };
  },
};
