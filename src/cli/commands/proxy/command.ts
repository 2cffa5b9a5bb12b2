import type { Command } from "../../framework/command.js";
import { knockOptions } from "../../gate/knock-options.js";

export const command: Command = {
  name: "proxy",
  summary: "Knock, connect, and copy standard input and output: for ssh's ProxyCommand",
  description: [
    "Knocks as `knockgate knock` does, connects to the port, and copies both ways until the host ends the connection. If no gate protects the port, it only connects. If the port is silent, the knock is sent again, so a lost packet costs only a second. Each connection has a token of its own.",
    "As ssh's ProxyCommand it lets ssh, scp, sftp, rsync, git and ansible in as if there were no gate. `knockgate ssh-config` writes the block for ssh_config(5). Only the host's bytes go to standard output.",
    "If the host is behind a bastion, the knock and the connection go through the bastion, by ssh(1), with the keys and the agent that ssh has for it. This takes two logins at the bastion, so the gate must stay open while the second login runs.",
  ],
  arguments: [
    {
      name: "HOST",
      about: "A profile, or the host of a profile. With `--step`, any host.",
      completion: "profile",
    },
    {
      name: "PORT",
      about: "The TCP port to connect to. Default: the profile's SSH port.",
      isOptional: true,
    },
  ],
  options: knockOptions.filter(({ name }) => name !== "stack"),
  examples: [
    {
      line: "ssh -o ProxyCommand='knockgate proxy edge %p' ops@203.0.113.7",
      about: "Once, without a block of ssh_config",
    },
    { line: "knockgate proxy edge 25", about: "Talk to another service behind a gate" },
  ],
  exitCodes: {
    0: "The connection was made, and has ended.",
    1: "Not used.",
    3: "No connection was made, or it broke.",
  },
  run: async (invocation, context) => (await import("./run.js")).runProxy(invocation, context),
};
