import type { Argument, Option } from "./command.js";

/** The argument of the commands that read a policy file. */
export const policyArgument: Argument = {
  name: "FILE",
  about: "A policy: JSON, YAML or a module; - reads JSON or YAML from standard input.",
  completion: "file",
};

/** The paragraph about policy files in the help of all these commands. */
export const policyFiles =
  "A file that ends in .json, .yaml or .yml holds a policy. One that ends in .ts, .mts, .cts, .js, .mjs or .cjs is run, and exports it as `policy` or as its default; TypeScript is run by Node 22.18 or newer, else by tsx where that is installed. Text is UTF-8, or what its byte order mark says, of at most 8 MiB and 64 levels.";

export const showSecrets: Option = {
  name: "show-secrets",
  about: "Show ports and sizes of steps in place of labels.",
};
