import { policyArgument, policyFiles, showSecrets } from "../../files/policy-argument.js";
import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "render",
  summary: "Print the ruleset that a policy becomes",
  description: [
    "Prints the text that a host would keep and load. Labels stand for each step's port and size, unless `--show-secrets` is given. They differ in each run.",
    policyFiles,
  ],
  arguments: [policyArgument],
  options: [showSecrets],
  examples: [
    { line: "knockgate render policy.yaml", about: "To look at" },
    { line: "knockgate render --show-secrets policy.yaml | nft -c -f -", about: "To let nft check it" },
  ],
  exitCodes: { 1: "The policy has errors. They are on standard error." },
  run: async (invocation, context) => (await import("./show-ruleset.js")).runRender(invocation, context),
};
