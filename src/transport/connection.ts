import { z } from "zod";

/**
 * How to reach a host, in the shape of `remote.ConnectionArgs` of @pulumi/command, with its defaults. Times are
 * seconds there, and so here.
 */
export const connectionSchema = z.strictObject({
  host: z.string().regex(/^[^\s/@]{1,253}$/, { error: "must be a host name or an address." }),
  port: z.int().min(1).max(65_535).default(22),
  user: z.string().min(1).default("root"),
  password: z.string().optional(),
  privateKey: z.string().optional(),
  privateKeyPassword: z.string().optional(),
  /** Default: the environment's SSH_AUTH_SOCK. */
  agentSocketPath: z.string().optional(),
  /** The host's public key as OpenSSH writes it: `ssh-ed25519 AAAA...`. Default: what known_hosts says. */
  hostKey: z.string().optional(),
  /** Takes whatever key the host shows. Not in @pulumi/command, where this is the default. */
  ignoreHostKey: z.boolean().default(false),
  dialErrorLimit: z.int().min(-1).default(10),
  perDialTimeout: z.number().min(0).default(15),
  proxy: z
    .undefined({
      error: "is not supported yet: a knock would have to leave from the bastion. Run Knockgate there.",
    })
    .optional(),
});

export type ConnectionInput = z.input<typeof connectionSchema>;
export type Connection = Readonly<z.output<typeof connectionSchema>>;
