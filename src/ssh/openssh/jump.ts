/** A machine as ProxyJump names it. */
export interface Jump {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/** Reads `[USER@]HOST[:PORT]`, the form in which `ssh -G` prints each machine of ProxyJump (ssh_config(5)). */
export function readJump(text: string): Jump {
  const [, user, rest = text] = /^(?:ssh:\/\/)?(?:(.+)@)?([^@]+?)\/?$/.exec(text) ?? [];
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(rest) ?? [];
  return {
    host: bracketed ?? plain ?? rest,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}
