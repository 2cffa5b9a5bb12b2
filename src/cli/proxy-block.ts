import { listKeyOptions } from "../client/pinned-key.js";
import type { Profile } from "../client/profile.js";
import { KnockgateError } from "../errors.js";

/**
 * Writes the block of ssh_config(5) for a profile. Where the host is behind a bastion, knockgate asks ssh for it.
 *
 * @param program how a shell starts knockgate
 * @throws KnockgateError `ARGUMENTS_INVALID` when a host or a user can't stand in a block
 */
export function writeProxyBlock({ name, way }: Profile, program: string): string {
  const isPlain =
    /^[a-zA-Z0-9_:][a-zA-Z0-9_.:%-]*$/.test(way.host) && /^[a-zA-Z0-9_][a-zA-Z0-9_.@+-]*$/.test(way.user);
  if (!isPlain || /[\r\n]/.test(program)) {
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      `${name}: its host, user or --program can't stand in ssh_config`,
    );
  }
  const lines = [
    `HostName ${escapePercents(way.host)}`,
    `User ${way.user}`,
    `Port ${way.port}`,
    ...listKeyOptions(way).map(({ keyword, value }) => `${keyword} ${value}`),
    `ProxyCommand ${escapePercents(program)} proxy ${name} %p`,
  ];
  return `${[`Host ${name}`, ...lines.map((line) => `  ${line}`)].join("\n")}\n`;
}

/** Percent signs begin ssh_config's tokens. */
function escapePercents(text: string): string {
  return text.replaceAll("%", "%%");
}
