import { KnockgateError } from "../../../errors.js";
import { listKeyOptions } from "../../../knock/clients/pinned-key.js";
import type { Profile } from "../../../knock/clients/profile.js";

/**
 * Writes a profile's block for ssh_config(5). If the host is behind a bastion, ssh starts knockgate, and knockgate
 * itself uses ssh for the bastion.
 *
 * @param program the command that starts knockgate, for a shell
 * @throws KnockgateError `ARGUMENTS_INVALID` when a host, a user or `program` can't be part of a block
 */
export function writeProxyBlock({ name, way }: Profile, program: string): string {
  const isPlain =
    /^[a-zA-Z0-9_:][a-zA-Z0-9_.:%-]*$/.test(way.host) && /^[a-zA-Z0-9_][a-zA-Z0-9_.@+-]*$/.test(way.user);
  if (!isPlain || /[\r\n]/.test(program)) {
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
    `ProxyCommand ${escapePercents(program)} proxy ${name} %p`,
  ];
  return `${[`Host ${name}`, ...lines.map((line) => `  ${line}`)].join("\n")}\n`;
}

/** A percent sign begins a token of ssh_config. */
function escapePercents(text: string): string {
  return text.replaceAll("%", "%%");
}
