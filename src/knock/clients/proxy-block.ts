import { KnockgateError } from "../../errors.js";
import { listKeyOptions } from "./pinned-key.js";
import type { Profile } from "./profile.js";

/**
 * Writes a profile's block for ssh_config(5).
 *
 * @param proxy the ProxyCommand: a command for a shell, and its arguments. ssh's port comes behind them. `undefined`: ssh
 *   itself connects
 * @throws KnockgateError `ARGUMENTS_INVALID` when a host, a user or the command can't be part of a block
 */
export function writeProxyBlock(
  { name, way }: Pick<Profile, "name" | "way">,
  proxy: readonly [command: string, words: string] | undefined,
): string {
  const isPlain =
    /^[a-zA-Z0-9_:][a-zA-Z0-9_.:%-]*$/.test(way.host) && /^[a-zA-Z0-9_][a-zA-Z0-9_.@+-]*$/.test(way.user);
  if (!isPlain || /[\r\n]/.test(proxy?.[0] ?? "")) {
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      `${name}: its host, user or --program can't be written in ssh_config`,
    );
  }
  const lines = [
    `HostName ${escapePercents(way.host)}`,
    `User ${way.user}`,
    `Port ${way.port}`,
    ...listKeyOptions(way).map(({ keyword, value }) => `${keyword} ${value}`),
    ...(proxy === undefined ? [] : [`ProxyCommand ${escapePercents(proxy[0])} ${proxy[1]} %p`]),
  ];
  return `${[`Host ${name}`, ...lines.map((line) => `  ${line}`)].join("\n")}\n`;
}

/** A percent sign begins a token of ssh_config. */
function escapePercents(text: string): string {
  return text.replaceAll("%", "%%");
}
