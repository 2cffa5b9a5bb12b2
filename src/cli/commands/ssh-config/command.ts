import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "ssh-config",
  summary: "Write blocks of ssh_config(5), or a script for a machine without Knockgate",
  description: [
    "Each profile becomes a `Host` block with its address, user, port and pinned host key, and with `knockgate proxy` as ProxyCommand. The knock or the key stays in the profile: unlike the output `sshConfig`, the block holds no secret.",
    "`--standalone` writes a script instead, for a machine without Knockgate and Node, or for those who knock often: it opens a gate in a few milliseconds. It needs bash 3.2 or newer and coreutils, and ping(8) if an echo request opens a gate. The script holds the knocks and keys, so keep it in a file that only you can read; a warning on standard error says so. Run without arguments, it prints the blocks that call it, and these hold no secret. It opens the gate of each profile's SSH port, sends the knock again if the port stays silent, and shares with the other clients the list of tokens that were sent.",
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
    {
      name: "standalone",
      about: "Write a script that opens the gates by bash, without Knockgate. Secret.",
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
    {
      line: "(umask 077; knockgate ssh-config --standalone >~/.ssh/knock) && bash ~/.ssh/knock >>~/.ssh/config",
      about: "A script, and the blocks that call it; copy it to another machine, and run it there",
    },
  ],
  run: async (invocation, context) => (await import("./run.js")).writeSshConfiguration(invocation, context),
};
