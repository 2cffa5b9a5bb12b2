import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "ssh-config",
  summary: "Write blocks of ssh_config(5) whose ProxyCommand is knockgate",
  description: [
    "Each profile becomes a `Host` block with its address, user, port and pinned host key, and with `knockgate proxy` as ProxyCommand. The knock or the key stays in the profile: unlike the output `sshConfig`, the block holds no secret.",
  ],
  arguments: [
    {
      name: "PROFILE",
      about: "Default: all profiles.",
      isOptional: true,
      isRepeated: true,
      completion: "profile",
    },
  ],
  options: [
    {
      name: "program",
      value: "COMMAND",
      about: "The command by which ssh starts knockgate, as in a shell. Default: `knockgate`.",
    },
  ],
  examples: [
    {
      line: "knockgate ssh-config >~/.ssh/knockgate",
      about: "All profiles; ~/.ssh/config then says `Include ~/.ssh/knockgate` before any Host",
    },
    {
      line: "knockgate ssh-config edge --program 'npx knockgate'",
      about: "If knockgate is not a command of the shell",
    },
  ],
  run: async (invocation, { environment }) => {
    const [{ listProfiles, loadProfile }, { writeProxyBlock }, { KnockgateError }] = await Promise.all([
      import("../../profiles/profile-store.js"),
      import("./proxy-block.js"),
      import("../../../errors.js"),
    ]);
    const names = invocation.arguments.length > 0 ? invocation.arguments : await listProfiles(environment);
    const blocks: string[] = [];
    for (const name of names) {
      const profile = await loadProfile(environment, name);
      if (profile === undefined) throw new KnockgateError("ARGUMENTS_INVALID", `there is no profile ${name}`);
      blocks.push(writeProxyBlock(profile, invocation.value("program") ?? "knockgate"));
    }
    return {
      exitCode: 0,
      text: blocks.join("\n"),
      json: names.map((name, index) => ({ name, block: blocks[index] })),
    };
  },
};
