import { policyArgument, policyFiles, showSecrets } from "../../files/policy-argument.js";
import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "diff",
  summary: "Compare the rulesets of two policies line by line",
  description: [
    "Prints a unified diff of what the two would load. A step that is the same on both sides has the same label.",
    policyFiles,
  ],
  arguments: [
    { ...policyArgument, name: "BEFORE" },
    { ...policyArgument, name: "AFTER" },
  ],
  options: [showSecrets],
  examples: [{ line: "knockgate diff old.yaml new.yaml", about: "What an edit does" }],
  exitCodes: {
    0: "Both load the same ruleset.",
    1: "They differ, or one has errors. Errors are on standard error.",
  },
  run: async (invocation, context) =>
    (await import("../render/show-ruleset.js")).runDiff(invocation, context),
};
