/** How a person reaches a host: the parts of a connection that are not secret. */
export interface SshEndpoint extends SshLogin {
  /** The bastion from which packets to the host are sent. Absent: there is none. */
  readonly proxy?: SshLogin | undefined;
}

/** How a person logs in by SSH, without keys and passwords. */
export interface SshLogin {
  /** Its address or name. */
  readonly host: string;
  /** Its SSH port. */
  readonly port: number;
  /** The user who logs in. */
  readonly user: string;
  /** The pinned host key, as OpenSSH writes it: `ssh-ed25519 AAAA...`. Absent: no key is pinned. */
  readonly hostKey?: string | undefined;
}

/** The parts of a connection that lead to a host, in the shape and with the defaults of @pulumi/command. */
export interface LoginInput {
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly hostKey?: string | undefined;
  readonly ignoreHostKey?: boolean | undefined;
}

/** Reads how a host is reached from a connection. */
export function readSshEndpoint(
  connection: LoginInput & { readonly proxy?: LoginInput | undefined },
): SshEndpoint {
  const { proxy } = connection;
  return { ...readLogin(connection), ...(proxy === undefined ? {} : { proxy: readLogin(proxy) }) };
}

function readLogin({ host, port = 22, user = "root", hostKey, ignoreHostKey = false }: LoginInput): SshLogin {
  // A connection without a host is not an error here. The ruleset has a finding about it, which says it better.
  return {
    host: `${host ?? ""}`,
    port,
    user: `${user}`,
    ...(hostKey === undefined || ignoreHostKey ? {} : { hostKey }),
  };
}

/** Whether tools read a text as one host, and never as an option or as two words. */
export function isHostWord(host: string): boolean {
  return /^(?!-)[^\p{Cc}\s/@]+$/u.test(host);
}
