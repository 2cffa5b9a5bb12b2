import type { Command } from "./command.js";

/** All commands by name, in the order of help. Each is loaded when it is called. */
const loaders: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  knock: () => import("./commands/knock.js"),
  proxy: () => import("./commands/proxy.js"),
  "ssh-config": () => import("./commands/ssh-config.js"),
  lint: () => import("./commands/lint.js"),
  render: () => import("./commands/render.js"),
  diff: () => import("./commands/diff.js"),
  status: () => import("./commands/status.js"),
  plan: () => import("./commands/plan.js"),
  apply: () => import("./commands/apply.js"),
  undo: () => import("./commands/undo.js"),
  remove: () => import("./commands/remove.js"),
  explain: () => import("./commands/explain.js"),
  simulate: () => import("./commands/simulate.js"),
  "profile add": () => import("./commands/profile-add.js"),
  "profile list": () => import("./commands/profile-list.js"),
  "profile remove": () => import("./commands/profile-remove.js"),
  "profile export": () => import("./commands/profile-export.js"),
  completion: () => import("./commands/completion.js"),
};

export const commandNames: readonly string[] = Object.keys(loaders);

/** Loads a command; `undefined` when there is none of that name. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(loaders, name) ? (await loaders[name]?.())?.command : undefined;
}

export async function loadCommands(): Promise<readonly Command[]> {
  return (await Promise.all(Object.values(loaders).map((load) => load()))).map(({ command }) => command);
}
