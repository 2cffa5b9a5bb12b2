import { findGate } from "../../policy/gate.js";
import { stepsToSend } from "../../policy/knock.js";
import type { Policy } from "../../policy/policy.js";
import { writeAlias } from "./alias.js";
import { writeBashKnock } from "./bash-knock.js";
import { listKeyOptions } from "./pinned-key.js";
import type { SshEndpoint, SshLogin } from "./ssh-endpoint.js";

/**
 * Writes a block for ssh_config(5) with which `ssh NAME`, `scp`, `sftp` and everything that uses ssh reach a host. Its
 * ProxyCommand knocks and then connects, with bash, coreutils and, for ICMP steps, ping. If the host is behind a
 * bastion, both happen on the bastion. The only keys in the block are public host keys.
 *
 * A value that can't stand in ssh_config is replaced by a comment.
 *
 * @param policy the host's policy, if it has one
 * @param name the host's name on the command line; characters that could form a pattern or an option become `-`
 */
export function writeSshConfig(
  name: string,
  way: SshEndpoint,
  policy: Pick<Policy, "gates"> | undefined,
): string {
  const lines = [`Host ${writeAlias(name)}`, ...writeLogin(way).map((line) => `  ${line}`)];
  return `${[...lines, ...writeProxy(way, policy).map((line) => `  ${line}`)].join("\n")}\n`;
}

function writeLogin(way: SshEndpoint): readonly string[] {
  return [
    isPlainHost(way.host)
      ? `HostName ${escapePercents(way.host)}`
      : "# HostName: left out, because it can't be written here",
    isPlainUser(way.user) ? `User ${way.user}` : "# User: left out, because it can't be written here",
    `Port ${way.port}`,
    ...listKeyOptions(way).map(({ keyword, value }) => `${keyword} ${value}`),
  ];
}

function writeProxy(way: SshEndpoint, policy: Pick<Policy, "gates"> | undefined): readonly string[] {
  const logins = [way, ...(way.proxy === undefined ? [] : [way.proxy])];
  if (!logins.every((login) => isPlainHost(login.host) && isPlainUser(login.user))) {
    return [
      "# ProxyCommand: left out, because a name above, or a name of the bastion, can't be written in it",
    ];
  }
  const gate = policy && findGate(policy, way.port);
  const knock = gate === undefined ? undefined : writeBashKnock(stepsToSend(gate), way.host);
  if (gate !== undefined && knock === undefined) {
    return [
      `# The knock of gate ${gate.name} has a UDP step without payload, which bash can't send: send it by another tool`,
      ...(way.proxy === undefined ? [] : [writeProxyThrough(way.host, way.proxy, undefined)]),
    ];
  }
  if (way.proxy !== undefined) return [writeProxyThrough(way.host, way.proxy, knock)];
  if (knock === undefined) return [];
  // If the host ends the connection, ssh sees the end of its pipe. If ssh ends, the host sees the end of its
  // connection.
  const copy = "{ cat; kill $$ 2>/dev/null; } <&4 >&3 & exec cat <&3 4<&-";
  const connect = `exec 4<&0 3<>"/dev/tcp/$h/$2" || exit; ${copy}`;
  return [`ProxyCommand bash -c '${knock}; ${connect}' knock ${escapePercents(way.host)} %p`];
}

/**
 * Logs in to the bastion twice. The knock goes there on standard input, so the bastion's list of processes does not
 * show it.
 */
function writeProxyThrough(host: string, bastion: SshLogin, knock: string | undefined): string {
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

/**
 * Whether a host means the same without quotes to every version of ssh_config, to bash, and to the shell that runs
 * bash.
 */
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
