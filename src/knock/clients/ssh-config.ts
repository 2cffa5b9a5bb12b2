import { unreachable } from "../../errors.js";
import { isProtected } from "../../policy/gate.js";
import { writeAlias } from "./alias.js";
import { writeBashKnock } from "./bash-knock.js";
import { type ClientKnock, type ClientTokens, readClientKnock } from "./client-knock.js";
import { listKeyOptions } from "./pinned-key.js";
import { type ClientPolicy, listGates } from "./profile.js";
import type { SshEndpoint, SshLogin } from "./ssh-endpoint.js";
import {
  copyBothWays,
  writeKeyComment,
  writeTokenConnection,
  writeTokenSendingThrough,
} from "./token-proxy.js";

/**
 * Writes a block for ssh_config(5) with which `ssh NAME`, `scp`, `sftp` and everything that uses ssh reach a host. Its
 * ProxyCommand knocks and then connects, with bash, coreutils and, for echo requests, ping. If the host is behind a
 * bastion, both happen on the bastion. It holds public host keys and, in a comment, the key of the user whose tokens
 * open the gate.
 *
 * A value that can't stand in ssh_config is replaced by a comment.
 *
 * @param policy the host's policy, if it has one
 * @param name the host's name on the command line; characters that could form a pattern or an option become `-`
 * @param user see {@link listGates}
 */
export function writeSshConfig(
  name: string,
  way: SshEndpoint,
  policy: ClientPolicy | undefined,
  user?: string,
): string {
  const lines = [...writeLogin(way), ...writeProxy(way, policy, user)].map((line) => `  ${line}`);
  return `${[`Host ${writeAlias(name)}`, ...lines].join("\n")}\n`;
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

function writeProxy(
  way: SshEndpoint,
  policy: ClientPolicy | undefined,
  user: string | undefined,
): readonly string[] {
  const logins = [way, ...(way.proxy === undefined ? [] : [way.proxy])];
  if (!logins.every((login) => isPlainHost(login.host) && isPlainUser(login.user))) {
    return [
      "# ProxyCommand: left out, because a name above, or a name of the bastion, can't be written in it",
    ];
  }
  const gate = policy?.gates.find((one) => isProtected(one, "tcp", way.port));
  if (gate === undefined) return writeProxyFor(way, undefined);
  const own = listGates(way, policy, user).find((one) => one.gate === gate.name);
  if (own !== undefined) return writeProxyFor(way, readClientKnock(own), gate.name);
  return [`# The tokens of ${user} do not open gate ${gate.name}`, ...writeProxyFor(way, undefined)];
}

function writeProxyFor(way: SshEndpoint, knock: ClientKnock | undefined, gate = ""): readonly string[] {
  switch (knock?.kind) {
    case undefined:
      return way.proxy === undefined ? [] : [writeProxyThrough(way.host, way.proxy, undefined)];
    case "sequence": {
      const program = writeBashKnock(knock.steps, way.host);
      if (program !== undefined) return [writeProxyOfKnock(way, program)];
      return [
        `# The knock of gate ${gate} has a UDP step without payload, which bash can't send: send it by another tool`,
        ...writeProxyFor(way, undefined),
      ];
    }
    case "tokens":
      return writeProxyOfTokens(way, knock);
    default:
      return unreachable(knock);
  }
}

function writeProxyOfKnock(way: SshEndpoint, knock: string): string {
  if (way.proxy !== undefined) return writeProxyThrough(way.host, way.proxy, knock);
  const connect = `exec 4<&0 3<>"/dev/tcp/$h/$2" || exit; ${copyBothWays}`;
  return `ProxyCommand bash -c '${knock}; ${connect}' knock ${escapePercents(way.host)} %p`;
}

/**
 * Logs in to the bastion twice. The knock goes there on standard input, so the bastion's list of processes does not
 * show it.
 */
function writeProxyThrough(host: string, bastion: SshLogin, knock: string | undefined): string {
  const ssh = writeSsh(bastion);
  const to = escapePercents(bastion.host);
  const forward = `exec ${ssh} -W "[$h]:$2" ${to}`;
  if (knock === undefined) return `ProxyCommand bash -c 'h=$1; ${forward}' knock ${escapePercents(host)} %p`;
  const send = `${ssh} ${to} "bash -s -- $h" <<<"$3" || exit`;
  return `ProxyCommand bash -c 'h=$1; ${send}; ${forward}' knock ${escapePercents(host)} %p '${knock}; true'`;
}

function writeSsh(bastion: SshLogin): string {
  const options = listKeyOptions(bastion).map(
    ({ keyword, value }) => `-o "${keyword}=${escapePercents(value)}"`,
  );
  return ["ssh", `-l ${bastion.user}`, `-p ${bastion.port}`, ...options].join(" ");
}

/** The key stands in a comment of the block. In the command, other users of the machine could list it. */
function writeProxyOfTokens({ host, proxy }: SshEndpoint, tokens: ClientTokens): readonly string[] {
  const to = escapePercents(host);
  if (proxy === undefined) {
    const program = escapePercents(writeTokenConnection(tokens, host));
    return [writeKeyComment(tokens), `ProxyCommand bash -c '${program}' knock ${to} %p`];
  }
  const ssh = writeSsh(proxy);
  const bastion = escapePercents(proxy.host);
  const { prepare, print, there } = writeTokenSendingThrough(tokens);
  const pipe = `{ echo "$3"; ${escapePercents(print)}; } | ${ssh} ${bastion} "bash -s -- $1" || exit`;
  const forward = `exec ${ssh} -W "[$1]:$2" ${bastion}`;
  return [
    writeKeyComment(tokens),
    `ProxyCommand bash -c '${escapePercents(prepare)}; ${pipe}; ${forward}' knock ${to} %p '${escapePercents(there)}'`,
  ];
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
