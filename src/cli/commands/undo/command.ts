import { policyArgument, policyFiles } from "../../files/policy-argument.js";
import type { Command } from "../../framework/command.js";
import {
  aboutHosts,
  behindOption,
  formerOption,
  hostArgument,
  hostOptions,
} from "../../hosts/host-options.js";

export const command: Command = {
  name: "undo",
  summary: "Undo a change that a host has not confirmed, at once",
  description: [
    "For a change whose deployer is gone. The host would undo it by itself when its time is over, and refuses another change until then. A confirmed change stays: to go back from it, apply the former policy.",
    aboutHosts,
    policyFiles,
  ],
  arguments: [policyArgument, hostArgument],
  options: [...hostOptions, formerOption, behindOption],
  examples: [
    { line: "knockgate undo policy.yaml edge", about: "After an `apply` or `pulumi up` was killed" },
  ],
  exitCodes: {
    0: "The host has put back what it had before.",
    1: "No change was pending, or the policy has errors.",
  },
  run: async (invocation, context) => (await import("./run.js")).runUndo(invocation, context),
};
