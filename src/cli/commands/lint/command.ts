import { policyArgument, policyFiles } from "../../files/policy-argument.js";
import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "lint",
  summary: "Find what is wrong or unwise in policy files",
  description: [
    "Checks the shape of each policy, the rules of docs/lint.md, and the policy's own tests (`expect`), without a host and without Pulumi. An error would prevent a gate from being made. A warning is only reported. No finding shows a step.",
    policyFiles,
  ],
  arguments: [{ ...policyArgument, isRepeated: true }],
  options: [
    {
      name: "format",
      value: "FORMAT",
      choices: ["text", "json", "sarif"],
      about: "How findings are printed; sarif is SARIF 2.1.0, which code scanning reads. Default: text.",
    },
  ],
  examples: [
    { line: "knockgate lint policy.yaml", about: "For people" },
    {
      line: "knockgate lint --format sarif policy.yaml >knockgate.sarif",
      about: "For a code scanning service",
    },
  ],
  exitCodes: { 0: "No policy has an error.", 1: "A policy has errors." },
  run: async (invocation, context) => (await import("./run.js")).runLint(invocation, context),
};
