import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "profile list",
  summary: "List the profiles that are kept",
  description: [
    "Shows each profile's name, how its host is reached, its gates, and the user whose tokens open them. Never shows a knock or a key.",
  ],
  arguments: [],
  options: [{ name: "names", about: "Print only the names, one per line, without opening the files." }],
  examples: [
    { line: "knockgate profile list", about: "All profiles" },
    { line: "knockgate profile list --json", about: "The same for a program" },
  ],
  run: async (invocation, { environment }) => {
    const { listProfiles, loadProfile } = await import("../../profiles/profile-store.js");
    const names = await listProfiles(environment);
    if (invocation.has("names"))
      return { exitCode: 0, text: names.map((name) => `${name}\n`).join(""), json: names };
    const profiles = await Promise.all(names.map((name) => loadProfile(environment, name)));
    const rows = profiles.flatMap((profile) => {
      if (profile === undefined) return [];
      const { name, way, gates } = profile;
      const { host, port, user, proxy } = way;
      const bastion = proxy === undefined ? {} : { bastion: proxy.host };
      const users = [...new Set(gates.flatMap((gate) => gate.user ?? []))];
      const as = users.length === 0 ? {} : { tokensOf: users };
      return [{ name, host, port, user, ...bastion, gates: gates.map(({ gate }) => gate), ...as }];
    });
    const lines = rows.map(({ name, host, port, user, bastion, gates, tokensOf = [] }) => {
      const through = bastion === undefined ? "" : ` through ${bastion}`;
      const as = tokensOf.length === 0 ? "" : ` (as ${tokensOf.join(", ")})`;
      return `${name}: ${user}@${host}:${port}${through}, gates: ${gates.join(", ") || "none"}${as}\n`;
    });
    return { exitCode: 0, text: lines.join(""), json: rows };
  },
};
