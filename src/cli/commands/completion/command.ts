import { type Command, UsageError } from "../../framework/command.js";

const shells = ["bash", "zsh", "fish"];

export const command: Command = {
  name: "completion",
  summary: "Print a script that completes commands, options and profiles in a shell",
  description: [
    "The script contains all commands and options. It asks knockgate for the names of profiles when they are needed.",
  ],
  arguments: [{ name: "SHELL", about: "Which shell: bash, zsh or fish.", completion: shells }],
  options: [],
  examples: [
    { line: "source <(knockgate completion bash)", about: "For bash, in ~/.bashrc" },
    { line: "source <(knockgate completion zsh)", about: "For zsh, in ~/.zshrc, after compinit" },
    { line: "knockgate completion fish >~/.config/fish/completions/knockgate.fish", about: "For fish, once" },
  ],
  run: async ({ arguments: [shell = ""] }, _surroundings, loadAll) => {
    if (!shells.includes(shell)) throw new UsageError(`SHELL must be one of ${shells.join(", ")}`);
    const { writeCompletion } = await import("../../framework/completion.js");
    const script = writeCompletion(shell, await loadAll());
    return { exitCode: 0, text: script, json: { shell, script } };
  },
};
