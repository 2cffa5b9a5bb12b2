import { findGate } from "../policy/gate.js";
import type { Policy } from "../policy/policy.js";
import { writeAlias } from "./alias.js";
import { writeBashKnock } from "./bash-knock.js";
import { listKeyOptions } from "./pinned-key.js";
import type { Login, Way } from "./way.js";

/**
 * Writes a block for ssh_config(5) by which `ssh NAME`, `scp`, `sftp` and all that use ssh get to a host: its
 * ProxyCommand knocks and then connects, by bash, coreutils and, for ICMP steps, ping. Where the host is behind a bastion,
 * both are done there. It holds no key but the host's public one.
 *
 * What ssh_config can't say is said in a comment in its place.
 *
 * @param policy what the host has, if it has one
 * @param name what the host is called on the command line; characters that a pattern or an option could be made of
 *   become `-`
 */
export function writeSshConfig(name: string, way: Way, policy: Pick<Policy, "gates"> | undefined): string {
  const lines = [`Host ${writeAlias(name)}`, ...writeLogin(way).map((line) => `  ${line}`)];
  return `${[...lines, ...writeProxy(way, policy).map((line) => `  ${line}`)].join("\n")}\n`;
}

function writeLogin(way: Way): readonly string[] {
  return [
    isPlainHost(way.host)
      ? `HostName ${escapePercents(way.host)}`
      : "# HostName: not one that can stand here",
    isPlainUser(way.user) ? `User ${way.user}` : "# User: not one that can stand here",
    `Port ${way.port}`,
    ...listKeyOptions(way).map(({ keyword, value }) => `${keyword} ${value}`),
  ];
}

function writeProxy(way: Way, policy: Pick<Policy, "gates"> | undefined): readonly string[] {
  const logins = [way, ...(way.proxy === undefined ? [] : [way.proxy])];
  if (!logins.every((login) => isPlainHost(login.host) && isPlainUser(login.user))) {
    return ["# ProxyCommand: left out, because a name above, or of the bastion, can't stand in it"];
  }
  const gate = policy && findGate(policy, way.port);
  const knock = gate === undefined ? undefined : writeBashKnock(gate.knock.steps, way.host);
  if (gate !== undefined && knock === undefined) {
    return [
      `# The knock of gate ${gate.name} has a UDP step without payload, which bash can't send: send it by another tool`,
      ...(way.proxy === undefined ? [] : [writeProxyThrough(way.host, way.proxy, undefined)]),
    ];
  }
  if (way.proxy !== undefined) return [writeProxyThrough(way.host, way.proxy, knock)];
  if (knock === undefined) return [];
  // When the host ends the connection, ssh sees the end of its pipe; when ssh is gone, the host that of its connection.
  const copy = "{ cat; kill $$ 2>/dev/null; } <&4 >&3 & exec cat <&3 4<&-";
  const connect = `exec 4<&0 3<>"/dev/tcp/$h/$2" || exit; ${copy}`;
  return [`ProxyCommand bash -c '${knock}; ${connect}' knock ${escapePercents(way.host)} %p`];
}

/** Two logins: the knock goes there by standard input, where no list of processes shows it. */
function writeProxyThrough(host: string, bastion: Login, knock: string | undefined): string {
  const options = listKeyOptions(bastion).map(
    ({ keyword, value }) => `-o "${keyword}=${escapePercents(value)}"`,
  );
  const ssh = ["ssh", `-l ${bastion.user}`, `-p ${bastion.port}`, ...options].join(" ");
  const to = escapePercents(bastion.host);
  const forward = `exec ${ssh} -W "[$h]:$2" ${to}`;
  if (knock === undefined) return `ProxyCommand bash -c 'h=$1; ${forward}' knock ${escapePercents(host)} %p`;
  const send = `${ssh} ${to} "bash -s -- $h" <<<"$3" || exit`;
  return `ProxyCommand bash -c 'h=$1; ${send}; ${forward}' knock ${escapePercents(host)} %p '${knock}; true'`;
}

/** What means the same without quotes to ssh_config of every version, to bash, and to whatever shell runs bash. */
function isPlainHost(host: string): boolean {
  return /^[a-zA-Z0-9_:][a-zA-Z0-9_.:%-]*$/.test(host);
}

function isPlainUser(user: string): boolean {
  return /^[a-zA-Z0-9_][a-zA-Z0-9_.@+-]*$/.test(user);
}

/** Percent signs begin ssh_config's tokens. */
function escapePercents(text: string): string {
  return text.replaceAll("%", "%%");
}
