import type { Argument, Option } from "../framework/command.js";

/** The argument of the commands that read a policy file. */
export const policyArgument: Argument = {
  name: "FILE",
  about: "A policy: JSON, YAML or a module; - reads JSON or YAML from standard input.",
  completion: "file",
};

/** The paragraph about policy files in the help of all these commands. */
export const policyFiles =
  "A file that ends in .json, .yaml or .yml holds a policy. A file that ends in .ts, .mts, .cts, .js, .mjs or .cjs is run, and exports the policy as `policy` or as its default. Node 22.18 or newer runs TypeScript, else tsx does, if it is installed. Text is UTF-8, or what its byte order mark says, and has at most 8 MiB and 64 levels.";

export const showSecrets: Option = {
  name: "show-secrets",
  about: "Show the ports and sizes of steps instead of labels.",
};
