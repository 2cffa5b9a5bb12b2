import { policyArgument, policyFiles, showSecrets } from "../../files/policy-argument.js";
import type { Command } from "../../framework/command.js";

export const command: Command = {
  name: "explain",
  summary: "Say what a policy means, as a table, a diagram or a report",
  description: [
    "Says for each gate what it protects, what its knock is, how long it takes to guess the knock, and what the linter finds. The report is one page for a browser, with the diagram and the lines of the ruleset that each part of the policy became.",
    "Labels stand for each step's port and size, unless `--show-secrets` is given. They differ in each run.",
    policyFiles,
  ],
  arguments: [policyArgument],
  options: [
    {
      name: "format",
      value: "FORMAT",
      choices: ["text", "markdown", "mermaid", "svg", "html"],
      about:
        "The output: tables (text, markdown), diagrams (mermaid, svg) or the report (html). Default: text.",
    },
    showSecrets,
  ],
  examples: [
    { line: "knockgate explain policy.yaml", about: "To read" },
    { line: "knockgate explain --format html policy.yaml >policy.html", about: "To look at in a browser" },
  ],
  exitCodes: { 1: "The policy has errors. They are on standard error." },
  run: async (invocation, context) => (await import("./run.js")).runExplain(invocation, context),
};
