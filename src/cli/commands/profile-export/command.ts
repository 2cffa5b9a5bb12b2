import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "profile export",
  summary: "Print a profile, with its knock",
  description: [
    "Prints the profile's file. Of the `profile` commands, only this one shows a knock. `knockgate profile add` reads the output. Send it to others only in a way in which you would send a key.",
  ],
  arguments: [{ name: "NAME", about: "The profile.", completion: "profile" }],
  options: [],
  examples: [
    {
      line: "(umask 077; knockgate profile export edge >edge.json)",
      about: "Into a file that only you can read",
    },
  ],
  run: async (invocation, { environment }) => {
    const [{ loadProfile, writeProfile }, { KnockgateError }] = await Promise.all([
      import("../../profiles/profile-store.js"),
      import("../../../errors.js"),
    ]);
    const [name = ""] = invocation.arguments;
    const profile = await loadProfile(environment, name);
    if (profile === undefined) throw new KnockgateError("ARGUMENTS_INVALID", `there is no profile ${name}`);
    return { exitCode: 0, text: writeProfile(profile), json: profile };
  },
};
