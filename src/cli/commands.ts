import type { Command } from "./framework/command.js";

/** All commands by name, in the order of help. Each is loaded when it is called. */
const loaders: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  knock: () => import("./commands/knock/command.js"),
  proxy: () => import("./commands/proxy/command.js"),
  close: () => import("./commands/close/command.js"),
  "ssh-config": () => import("./commands/ssh-config/command.js"),
  lint: () => import("./commands/lint/command.js"),
  render: () => import("./commands/render/command.js"),
  diff: () => import("./commands/diff/command.js"),
  status: () => import("./commands/status/command.js"),
  who: () => import("./commands/who/command.js"),
  plan: () => import("./commands/plan/command.js"),
  apply: () => import("./commands/apply/command.js"),
  undo: () => import("./commands/undo/command.js"),
  remove: () => import("./commands/remove/command.js"),
  explain: () => import("./commands/explain/command.js"),
  simulate: () => import("./commands/simulate/command.js"),
  "profile add": () => import("./commands/profile-add/command.js"),
  "profile list": () => import("./commands/profile-list/command.js"),
  "profile remove": () => import("./commands/profile-remove/command.js"),
  "profile export": () => import("./commands/profile-export/command.js"),
  completion: () => import("./commands/completion/command.js"),
};

export const commandNames: readonly string[] = Object.keys(loaders);

/** Loads a command; `undefined` when there is none of that name. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(loaders, name) ? (await loaders[name]?.())?.command : undefined;
}

export async function loadCommands(): Promise<readonly Command[]> {
  return (await Promise.all(Object.values(loaders).map((load) => load()))).map(({ command }) => command);
}
