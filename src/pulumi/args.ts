import type { types } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";

/** How to reach the host: the shape of @pulumi/command's `remote.ConnectionArgs`, with its defaults. */
export interface ConnectionArgs extends types.input.remote.ConnectionArgs {
  /**
   * The host's public key as OpenSSH writes it, like `ssh-ed25519 AAAA...`. Default: what `~/.ssh/known_hosts` and
   * `/etc/ssh/ssh_known_hosts` say. Unlike in @pulumi/command, a key is always verified.
   */
  hostKey?: pulumi.Input<string>;
  /** Takes whatever key the host shows, and so whatever machine answers. Default: false. */
  ignoreHostKey?: pulumi.Input<boolean>;
}

/** Everything declared for one host's firewall. */
export interface PolicyArgs {
  /** 1 to 32 of a-z, 0-9 and -, beginning with a letter; names the table `inet knockgate_<name>`. */
  name: pulumi.Input<string>;
  /** At least one. */
  gates: pulumi.Input<pulumi.Input<GateArgs>[]>;
  /** Addresses and prefixes (CIDR, IPv4 and IPv6) that never need to knock. Default: none. */
  allowFrom?: pulumi.Input<pulumi.Input<string>[]>;
}

/** Protected ports and the knock that opens them. */
export interface GateArgs {
  /** 1 to 32 of a-z, 0-9 and -, beginning with a letter; unique in its policy. */
  name: pulumi.Input<string>;
  /** At least one. */
  protect: pulumi.Input<pulumi.Input<ProtectArgs>[]>;
  knock: pulumi.Input<KnockArgs>;
  /** How long after the last step new connections are accepted from that source. 1 to 86,400; default 30. */
  openForSeconds?: pulumi.Input<number>;
}

/** A protected port or range: exactly one of the fields, like `"22"` or `"8000-8010"`. */
export interface ProtectArgs {
  tcp?: pulumi.Input<string>;
  udp?: pulumi.Input<string>;
}

/** What a client sends. Kept secret in state, previews and logs, whether it was marked so or not. */
export interface KnockArgs {
  /** 1 to 16, sent in this order. */
  steps: pulumi.Input<pulumi.Input<StepArgs>[]>;
  /** Longest pause between two steps. 1 to 86,400; default 5. */
  stepTimeoutSeconds?: pulumi.Input<number>;
  /**
   * Whether any other new packet from a source in mid-sequence puts it back to the start, so that a port sweep can't
   * walk through. Default: true.
   */
  strict?: pulumi.Input<boolean>;
}

/** One packet: exactly one of the fields, a port from 1 to 65,535. */
export interface StepArgs {
  /** A TCP SYN to this port. */
  tcp?: pulumi.Input<number>;
  /** A UDP datagram to this port. */
  udp?: pulumi.Input<number>;
}

/** The arguments of {@link KnockGate}. */
export interface KnockGateArgs {
  connection: pulumi.Input<ConnectionArgs>;
  policy: pulumi.Input<PolicyArgs>;
  /**
   * After how many seconds the host undoes by itself a change that was not confirmed. 10 to 3,600; default 60. Longer
   * than the proof takes on a slow line: about 15 s for each gate in the worst case.
   */
  undoAfterSeconds?: pulumi.Input<number>;
}
