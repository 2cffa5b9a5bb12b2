import { z } from "zod";

const oneLine = z.string().regex(/^[^\n\0]*$/, { error: "must be one line." });

/** What it takes to log in to one machine by SSH. Times are seconds in @pulumi/command, and so here. */
const loginSchema = z.strictObject({
  host: z.string().regex(/^[^\s/@]{1,253}$/, { error: "must be a host name or an address." }),
  port: z.int().min(1).max(65_535).default(22),
  user: z.string().min(1).default("root"),
  password: oneLine.optional(),
  privateKey: z.string().optional(),
  privateKeyPassword: z.string().optional(),
  /** Default: the environment's SSH_AUTH_SOCK. */
  agentSocketPath: z.string().optional(),
  /** The machine's public key as OpenSSH writes it: `ssh-ed25519 AAAA...`. Default: what known_hosts says. */
  hostKey: z.string().optional(),
  /** Takes whatever key the machine shows. Not in @pulumi/command, where this is the default. */
  ignoreHostKey: z.boolean().default(false),
  /**
   * How many failed dials are forgiven: one more than that are made. -1: all are. On a new machine refused logins are, too,
   * unless there is a password: a wrong one counts.
   */
  dialErrorLimit: z.int().min(-1).default(10),
  /** For each dial until the login is done; 0: as long as it takes. */
  perDialTimeout: z.number().min(0).default(15),
});

/**
 * How to reach a host, in the shape of `remote.ConnectionArgs` of @pulumi/command, with its defaults.
 */
export const connectionSchema = z.strictObject({
  ...loginSchema.shape,
  /** What sudo on the host asks for. Default: `password`. */
  sudoPassword: oneLine.min(1).optional(),
  /** The bastion that the host is reached through. */
  proxy: loginSchema.optional(),
});

export type ConnectionInput = z.input<typeof connectionSchema>;
export type Connection = Readonly<z.output<typeof connectionSchema>>;
export type Login = Readonly<z.output<typeof loginSchema>>;
