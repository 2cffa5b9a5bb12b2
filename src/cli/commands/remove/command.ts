import { policyArgument, policyFiles } from "../../files/policy-argument.js";
import type { Command } from "../../framework/command.js";
import {
  aboutHosts,
  adoptOption,
  behindOption,
  formerOption,
  hostArgument,
  hostOptions,
} from "../../hosts/host-options.js";

export const command: Command = {
  name: "remove",
  summary: "Remove a policy from a host, and nothing else",
  description: [
    "Removes the policy's rules, its files and what loads it at boot. The protected ports are then as open as the host's other rules leave them. A profile stays: `knockgate profile remove` removes it.",
    aboutHosts,
    policyFiles,
  ],
  arguments: [policyArgument, hostArgument],
  options: [...hostOptions, formerOption, behindOption, adoptOption],
  examples: [{ line: "knockgate remove policy.yaml edge", about: "By a profile" }],
  exitCodes: {
    0: "The host has nothing of the policy.",
    1: "The policy has errors. Nothing was contacted.",
  },
  run: async (invocation, context) => (await import("./run.js")).runRemove(invocation, context),
};
