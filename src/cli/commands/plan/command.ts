import { policyArgument, policyFiles, showSecrets } from "../../files/policy-argument.js";
import type { Command } from "../../framework/command.js";
import {
  aboutHosts,
  behindOption,
  formerOption,
  hostArgument,
  hostOptions,
} from "../../hosts/host-options.js";

export const command: Command = {
  name: "plan",
  summary: "Show what `apply` would change on a host",
  description: [
    "Changes nothing. Prints a unified diff from what the host has loaded to what the policy would load. Also says whether open doors would stay open, and what would stand in the way.",
    aboutHosts,
    policyFiles,
  ],
  arguments: [policyArgument, hostArgument],
  options: [...hostOptions, formerOption, behindOption, showSecrets],
  examples: [{ line: "knockgate plan policy.yaml edge", about: "Before `knockgate apply policy.yaml edge`" }],
  exitCodes: {
    0: "There is nothing to change.",
    1: "There is something to change, or the policy has errors.",
  },
  run: async (invocation, context) => (await import("./run.js")).runPlan(invocation, context),
};
