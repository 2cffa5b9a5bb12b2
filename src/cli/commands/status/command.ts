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
  name: "status",
  summary: "Say what a host has of a policy, and what it has counted",
  description: [
    "Changes nothing. Says whether the policy's ruleset is confirmed and loaded, who owns it, what was changed outside, what drops packets to the protected ports before the gate sees them, whether a change is pending, the counters of each gate, and for each user of a gate that tokens open how often that was, when last by the counters and by the host's log, and until when the host holds tokens.",
    aboutHosts,
    policyFiles,
  ],
  arguments: [policyArgument, hostArgument],
  options: [...hostOptions, formerOption, behindOption],
  examples: [
    { line: "knockgate status policy.yaml edge", about: "By a profile" },
    {
      line: "knockgate status policy.yaml ops@203.0.113.7 --ask sudo-password",
      about: "By a user with sudo",
    },
  ],
  exitCodes: {
    0: "The host has what the policy says.",
    1: "The host has something else, or the policy has errors.",
  },
  run: async (invocation, context) => (await import("./run.js")).runStatus(invocation, context),
};
