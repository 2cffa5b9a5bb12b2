import type * as pulumi from "@pulumi/pulumi";

/**
 * How to log in to the host or a bastion: the shape of `@pulumi/command`'s `remote.ProxyConnectionArgs`, with its
 * defaults. It is written out here, so programs without `@pulumi/command` need not install it.
 */
export interface ProxyConnectionArgs {
  /** Its name or address; with `transport: "openssh"` also an alias of ssh_config(5). */
  host: pulumi.Input<string>;
  /** Its SSH port. 1 to 65,535. Default: 22; with `transport: "openssh"` what ssh_config says. */
  port?: pulumi.Input<number>;
  /** The user who logs in. Default: `root`; with `transport: "openssh"` what ssh_config says. */
  user?: pulumi.Input<string>;
  /** Tried after the private key. Default: none. */
  password?: pulumi.Input<string>;
  /** The text of an ed25519, ECDSA or RSA key, in OpenSSH's form or PEM; tried before the password. Default: none. */
  privateKey?: pulumi.Input<string>;
  /** Opens an encrypted `privateKey`. Default: none. */
  privateKeyPassword?: pulumi.Input<string>;
  /** The socket of an SSH agent. Default: the environment's SSH_AUTH_SOCK. */
  agentSocketPath?: pulumi.Input<string>;
  /**
   * Its public key as OpenSSH writes it, like `ssh-ed25519 AAAA...`. Default: what `~/.ssh/known_hosts` and
   * `/etc/ssh/ssh_known_hosts` say. Unlike in `@pulumi/command`, a key is always verified.
   */
  hostKey?: pulumi.Input<string>;
  /** Whether any host key is accepted, and so any machine that answers. Default: false. */
  ignoreHostKey?: pulumi.Input<boolean>;
  /**
   * Failed dials allowed before giving up. -1 means no limit. Default: 10. While a gate is created, a login that is
   * refused by key or agent is tried again as often, every 6 s: on a new machine sshd answers before the key is there.
   */
  dialErrorLimit?: pulumi.Input<number>;
  /** Seconds for each dial until the login is done; 0 means no limit. Default: 15. */
  perDialTimeout?: pulumi.Input<number>;
}

/** How to reach the host: the shape of `@pulumi/command`'s `remote.ConnectionArgs`, with its defaults. */
export interface ConnectionArgs extends ProxyConnectionArgs {
  /**
   * What speaks SSH: `ssh2` is a library, `openssh` is this machine's own ssh(1) with its ssh_config: certificates,
   * security keys, ProxyJump and ProxyCommand (docs/ssh.md). Default: `ssh2`.
   */
  transport?: pulumi.Input<string>;
  /** The password that sudo on the host asks for, if the user is not root. Default: `password`. */
  sudoPassword?: pulumi.Input<string>;
  /**
   * The bastion that the host is reached through. The knock is sent from there, too. That needs perl there, and for
   * ICMP steps the right to send echo requests, but not root. The host's name is resolved there. Default: none.
   */
  proxy?: pulumi.Input<ProxyConnectionArgs>;
}
