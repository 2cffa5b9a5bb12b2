/** How a person reaches a host: what of a connection is no secret. */
export interface Way extends Login {
  /** The bastion that packets to the host leave from. */
  readonly proxy?: Login | undefined;
}

/** How a person logs in by SSH, apart from keys and passwords. */
export interface Login {
  /** Its address or name. */
  readonly host: string;
  /** Its SSH port. */
  readonly port: number;
  /** Who logs in. */
  readonly user: string;
  /** Pinned, as OpenSSH writes it: `ssh-ed25519 AAAA...`. */
  readonly hostKey?: string | undefined;
}

/** The parts of a connection in the shape of @pulumi/command's that lead to a host, with that package's defaults. */
export interface LoginInput {
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly hostKey?: string | undefined;
  readonly ignoreHostKey?: boolean | undefined;
}

/** Picks a host's way out of a connection. */
export function readWay(connection: LoginInput & { readonly proxy?: LoginInput | undefined }): Way {
  const { proxy } = connection;
  return { ...readLogin(connection), ...(proxy === undefined ? {} : { proxy: readLogin(proxy) }) };
}

function readLogin({ host, port = 22, user = "root", hostKey, ignoreHostKey = false }: LoginInput): Login {
  // A connection that lacks its host is a finding of the ruleset's own, which says it better than an error here.
  return {
    host: `${host ?? ""}`,
    port,
    user: `${user}`,
    ...(hostKey === undefined || ignoreHostKey ? {} : { hostKey }),
  };
}

/** Whether tools take a text for a host, and never for an option or two words. */
export function isHostWord(host: string): boolean {
  return /^(?!-)[^\p{Cc}\s/@]+$/u.test(host);
}
