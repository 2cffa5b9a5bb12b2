import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "profile remove",
  summary: "Remove profiles",
  description: ["Removes the files. Nothing is changed on a host: its knock stays as it is."],
  arguments: [{ name: "NAME", about: "The profile.", isRepeated: true, completion: "profile" }],
  options: [],
  examples: [{ line: "knockgate profile remove edge", about: "Forget a host" }],
  exitCodes: { 1: "There was no profile of one of the names." },
  run: async (invocation, { environment }) => {
    const { removeProfile } = await import("../../profiles/profile-store.js");
    const results: { name: string; isRemoved: boolean }[] = [];
    for (const name of invocation.arguments)
      results.push({ name, isRemoved: await removeProfile(environment, name) });
    const text = results
      .map(({ name, isRemoved }) => `${name}: ${isRemoved ? "removed" : "there is none"}\n`)
      .join("");
    return { exitCode: results.every(({ isRemoved }) => isRemoved) ? 0 : 1, text, json: results };
  },
};
