import type { Command } from "../command.js";

export const command: Command = {
  name: "profile export",
  summary: "Print a profile, with its knock",
  description: [
    "Prints the profile's file: this is the one command that shows a knock. `knockgate profile add` reads it. Send it on only by a way that you would send a key by.",
  ],
  arguments: [{ name: "NAME", about: "The profile.", completion: "profile" }],
  options: [],
  examples: [
    {
      line: "(umask 077; knockgate profile export edge >edge.json)",
      about: "Into a file for yourself alone",
    },
  ],
  run: async (call, { environment }) => {
    const [{ loadProfile, writeProfile }, { KnockgateError }] = await Promise.all([
      import("../profile-store.js"),
      import("../../errors.js"),
    ]);
    const [name = ""] = call.arguments;
    const profile = await loadProfile(environment, name);
    if (profile === undefined) throw new KnockgateError("ARGUMENTS_INVALID", `there is no profile ${name}`);
    return { exitCode: 0, text: writeProfile(profile), json: profile };
  },
};
