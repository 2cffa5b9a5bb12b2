import type { Command } from "../../framework/command.js";
import { knockOptions } from "../../gate/knock-options.js";

export const command: Command = {
  name: "close",
  summary: "Close the door that a token has opened for this machine",
  description: [
    "Sends the same kind of packet as `knockgate knock`, with one byte more: the host takes the sender out of the gate's door at once, instead of after `openForSeconds`. Connections that exist already stay. Then the command asks the port, and goes on with other tokens while it still answers.",
    "A door is for an address, so it closes for everybody behind that address. A host with several addresses has one door for each family; each is closed.",
    "Only a token closes a door. The door of a sequence closes by itself.",
  ],
  arguments: [{ name: "HOST", about: "A profile, or the host of a profile.", completion: "profile" }],
  options: [
    {
      name: "port",
      short: "p",
      value: "PORT",
      about: "The TCP port whose gate is closed. Default: the SSH port, or the gate's first port.",
    },
    ...knockOptions
      .filter(({ name }) => !["step", "tries"].includes(name))
      .map((option) =>
        option.name === "gate"
          ? { ...option, about: "Close this gate of the profile. Default: the gate that protects the port." }
          : option,
      ),
  ],
  examples: [
    { line: "knockgate close edge", about: "By a profile" },
    {
      line: "knockgate knock edge && rsync -a site/ edge:/var/www/ && knockgate close edge",
      about: "Open a gate for one job",
    },
  ],
  exitCodes: {
    0: "The port is silent, or the token was sent and the gate can't be checked.",
    1: "The port still answers.",
  },
  run: async (invocation, context) => (await import("./run.js")).runClose(invocation, context),
};
