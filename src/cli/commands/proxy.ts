import type { Command } from "../command.js";
import { knockOptions } from "../knock-options.js";

export const command: Command = {
  name: "proxy",
  summary: "Knock, connect, and copy standard input and output: for ssh's ProxyCommand",
  description: [
    "Knocks as `knockgate knock` does, connects with the port and copies both ways until the host ends the connection. Where no gate protects the port it only connects. When the port is silent the knock is sent again, so that a lost packet costs a second and no more.",
    "As ssh's ProxyCommand it lets ssh, scp, sftp, rsync, git and ansible in as if there were no gate; `knockgate ssh-config` writes the block for ssh_config(5). Nothing but the host's bytes goes to standard output.",
    "A host behind a bastion is knocked at and reached from there, by ssh(1), with the keys and the agent it has for it. That takes two logins there, so the gate has to stay open for as long as the second one takes.",
  ],
  arguments: [
    { name: "HOST", about: "A profile, or the host of one; with `--step` any host.", completion: "profile" },
    {
      name: "PORT",
      about: "The TCP port to connect with. Default: the profile's for SSH.",
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
    0: "The connection came about and was ended.",
    1: "Not used.",
    3: "No connection came about, or it broke.",
  },
  run: async (call, surroundings) => (await import("../run-proxy.js")).runProxy(call, surroundings),
};
