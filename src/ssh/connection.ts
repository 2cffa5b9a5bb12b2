import { z } from "zod";

const oneLine = z.string().regex(/^[^\n\0]*$/, { error: "must be one line." });

/** How to log in to one machine by SSH. Times are in seconds, as in @pulumi/command. */
const loginSchema = z.strictObject({
  /** A name or an address; with `transport: "openssh"` also an alias of ssh_config(5). */
  host: z.string().regex(/^[^\s/@]{1,253}$/, { error: "must be a host name or an address." }),
  /** Default: 22; with `transport: "openssh"` what ssh_config says. */
  port: z.int().min(1).max(65_535).optional(),
  /** Default: root; with `transport: "openssh"` what ssh_config says. */
  user: z.string().min(1).optional(),
  password: oneLine.optional(),
  privateKey: z.string().optional(),
  privateKeyPassword: z.string().optional(),
  /** Default: the environment's SSH_AUTH_SOCK. */
  agentSocketPath: z.string().optional(),
  /** The machine's public key as OpenSSH writes it: `ssh-ed25519 AAAA...`. Default: what known_hosts says. */
  hostKey: z.string().optional(),
  /** Accepts any host key. Default: false. @pulumi/command has no such field: it accepts any key by default. */
  ignoreHostKey: z.boolean().default(false),
  /**
   * Failed dials allowed before giving up: 0 means one dial, -1 means no limit. On a new machine a refused login counts
   * as a failed dial, unless there is a password: then the first refusal is final, because sshd counts wrong passwords.
   */
  dialErrorLimit: z.int().min(-1).default(10),
  /** For each dial, until the login is done. 0 means no limit. */
  perDialTimeout: z.number().min(0).default(15),
});

/**
 * How to reach a host, in the shape of `remote.ConnectionArgs` of @pulumi/command, with its defaults.
 */
export const connectionSchema = z.strictObject({
  ...loginSchema.shape,
  /** What speaks SSH: the library ssh2, or this machine's own ssh(1) with its ssh_config. Default: `ssh2`. */
  transport: z.enum(["ssh2", "openssh"]).default("ssh2"),
  /** The password that sudo on the host asks for. Default: `password`. */
  sudoPassword: oneLine.min(1).optional(),
  /** The bastion that the host is reached through. */
  proxy: loginSchema.optional(),
});

export type ConnectionInput = z.input<typeof connectionSchema>;
export type Connection = Readonly<z.output<typeof connectionSchema>>;
export type Login = Readonly<z.output<typeof loginSchema>>;
