import { listKeyAlgorithms } from "../keys/host-key.js";
import { joinWords } from "../quote-shell.js";
import type { ResolvedLogin } from "../resolve.js";
import { isAtLeast, type SshProgram } from "./program.js";

/** How one connection is dialled. */
export interface Dial {
  readonly folder: string;
  /** Printed on standard output when the connection stands. */
  readonly readyWord: string;
  /** Only addresses of this family. Default: as ssh_config says. */
  readonly family?: "inet" | "inet6" | undefined;
  /** What carries the connection, in place of a TCP connection from here. */
  readonly proxyCommand?: string | undefined;
  readonly timeoutMs: number;
  /** Whether somebody can answer ssh's questions. */
  readonly isAttended: boolean;
}

/** Files in the private folder. */
export const files = {
  socket: "s",
  key: "key",
  knownHosts: "known_hosts",
  password: "password",
  askpass: "askpass",
  log: "log",
} as const;

/**
 * Lists ssh's arguments for one connection of our own, on which commands run through its control socket. Options come
 * before what ssh_config says. They keep the connection fresh, and take the effect from settings that are meant for a
 * person at a terminal.
 *
 * @param pinned the blob of the one host key to take; `undefined` when ssh decides
 */
export function listArguments(
  program: SshProgram,
  { host, settings, ...login }: ResolvedLogin,
  pinned: Buffer | undefined,
  dial: Dial,
): readonly string[] {
  const at = (name: string) => `${dial.folder}/${name}`;
  const options: Record<string, string | undefined> = {
    ControlMaster: "yes",
    ControlPath: at(files.socket),
    ControlPersist: "no",
    LocalCommand: `echo ${dial.readyWord}`,
    PermitLocalCommand: "yes",
    RemoteCommand: "none",
    RequestTTY: "no",
    ClearAllForwardings: "yes",
    ForwardAgent: "no",
    ForwardX11: "no",
    Tunnel: "no",
    AddKeysToAgent: "no",
    UpdateHostKeys: "no",
    VisualHostKey: "no",
    EscapeChar: "none",
    // ssh tells the reasons of some failures at this level only. The host's banner comes with it, but not in the log.
    LogLevel: "INFO",
    // A connection that was cut silently is noticed within 20 s, as with ssh2.
    ServerAliveInterval: "5",
    ServerAliveCountMax: "3",
    ConnectionAttempts: "1",
    ConnectTimeout: dial.timeoutMs === 0 ? "none" : `${Math.ceil(dial.timeoutMs / 1_000)}`,
    NumberOfPasswordPrompts: dial.isAttended ? undefined : "1",
    BatchMode: dial.isAttended || login.password !== undefined ? "no" : "yes",
    AddressFamily: dial.family,
    ProxyCommand: dial.proxyCommand,
    IdentityAgent: login.agentSocketPath && quoteValue(login.agentSocketPath),
    IdentityFile: login.privateKey && at(files.key),
    IdentitiesOnly: login.privateKey && !login.agentSocketPath ? "yes" : undefined,
    ...listHostKeyOptions(login, settings?.asksForKeys === true && !dial.isAttended, pinned, at),
    // Older ssh does not know these settings of ssh_config.
    ...(isAtLeast(program, [8, 7]) ? { ForkAfterAuthentication: "no", StdinNull: "no" } : {}),
  };
  return [
    ...Object.entries(options).flatMap(([name, value]) =>
      value === undefined ? [] : ["-o", `${name}=${value}`],
    ),
    ...["-E", at(files.log), "-N", "-T"],
    ...["-p", `${login.port}`],
    ...["-l", login.user],
    "--",
    host,
  ];
}

function listHostKeyOptions(
  { ignoreHostKey }: Pick<ResolvedLogin, "ignoreHostKey">,
  isStrict: boolean,
  pinned: Buffer | undefined,
  at: (name: string) => string,
) {
  if (ignoreHostKey) {
    return {
      StrictHostKeyChecking: "no",
      UserKnownHostsFile: "/dev/null",
      GlobalKnownHostsFile: "/dev/null",
    };
  }
  if (pinned === undefined) return isStrict ? { StrictHostKeyChecking: "yes" } : {};
  return {
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: at(files.knownHosts),
    GlobalKnownHostsFile: "/dev/null",
    VerifyHostKeyDNS: "no",
    HostKeyAlgorithms: listKeyAlgorithms([pinned]).join(","),
  };
}

/** Lists ssh's arguments for one more use of a connection that stands. Never dials. */
export function listSharing(folder: string): readonly string[] {
  return [
    ...["-F", "none"],
    ...["-o", "ControlMaster=no", "-o", `ControlPath=${folder}/${files.socket}`],
    // Without its control socket, ssh would dial by itself (ControlPath in ssh_config(5)).
    ...["-o", "ProxyCommand=false", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-T"],
  ];
}

/** Writes the ProxyCommand that opens a TCP connection from the other end of a connection that stands. */
export function writeProxyCommand(folder: string, address: string, port: number): string {
  const target = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const words = ["ssh", ...listSharing(folder), "-W", target, "--", "shared"];
  return joinWords(words).replaceAll("%", "%%");
}

/** Quotes a value that may hold spaces (ssh_config(5)). */
function quoteValue(value: string): string {
  return `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
