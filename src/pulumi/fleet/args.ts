import type * as pulumi from "@pulumi/pulumi";
import type { Profile, ProfileGate } from "../../knock/clients/profile.js";
import type { PolicyArgs } from "../gate/args.js";
import type { ConnectionArgs } from "../gate/connection-args.js";

/** One host of a fleet. */
export interface FleetHostArgs {
  /** How to reach it. A field given here replaces the fleet's. Default: only the fleet's fields. */
  connection?: pulumi.Input<Partial<ConnectionArgs>>;
  /** Which of the fleet's `policies` it has. Required if the fleet has `policies`, and refused if it has not. */
  group?: string;
  /** Fields of the policy that differ on this host. Each replaces the whole field. Default: none. */
  policy?: pulumi.Input<Partial<PolicyArgs>>;
  /** Another machine that this host's gates are tried from. Default: the fleet's `proveFrom`. */
  proveFrom?: pulumi.Input<ConnectionArgs>;
  /** As of {@link KnockGateArgs}. Default: the fleet's `behind`. */
  behind?: pulumi.Input<readonly pulumi.Input<ProfileGate>[]>;
  /** As of {@link KnockGateArgs}. Default: the fleet's `hopProfiles`. */
  hopProfiles?: pulumi.Input<readonly pulumi.Input<Profile>[]>;
}

/** The next hosts of a fleet that are changed together: exactly one of the fields, as an entry of Ansible's `serial`. */
export interface WaveArgs {
  /** This many of the hosts that no wave names, in the fleet's order. At least 1. */
  count?: number;
  /** The same as a percentage of all hosts, rounded down, but at least one host. Above 0 to 100. */
  percent?: number;
  /** These hosts, by name. */
  hosts?: string[];
}

/** How a fleet's hosts are brought to a new ruleset: wave by wave. */
export interface RolloutArgs {
  /**
   * The last count or percentage is repeated until each host is in a wave. After a list of names, the remaining hosts
   * make one wave. Default: one wave of all hosts.
   */
  waves?: WaveArgs[];
  /** How long to wait after a wave in which a host was changed. 0 to 86,400; default 0. */
  pauseBetweenSeconds?: number;
  /**
   * A command for POSIX sh. It runs as root on each host, after its gates are proven and before its change is
   * confirmed. Any exit code other than 0 fails the host, and undoes its change. The command is not kept secret, and
   * only part of its output is. Default: none.
   */
  healthCommand?: string;
  /** How long the health command may take. 1 to 3,600; default 30. */
  healthTimeoutSeconds?: number;
  /**
   * How many hosts of a wave may fail without stopping the rollout. A failed host is as it was. Each later `pulumi up`
   * tries it again. Default: 0.
   */
  maxFailures?: number;
  /**
   * What is done with the other hosts of a wave in which too many hosts failed: `halt` leaves them the new ruleset,
   * `undo` puts back what they had. Hosts of later waves are not touched either way. Default: `halt`.
   */
  onFailure?: string;
}

/** The arguments of {@link KnockFleet}. */
export interface KnockFleetArgs {
  /**
   * By name: letters, digits, `.`, `_` and `-`. At least one. Waves take them in this order. In languages other than
   * JavaScript, they are sorted by name.
   */
  hosts: Readonly<Record<string, FleetHostArgs>>;
  /** What the connections to all hosts have in common, such as the user and the key. Default: nothing. */
  connection?: pulumi.Input<Partial<ConnectionArgs>>;
  /** The policy of all hosts. Either this or `policies`. */
  policy?: pulumi.Input<PolicyArgs>;
  /** A policy for each group of hosts, by the group's name. */
  policies?: Readonly<Record<string, pulumi.Input<PolicyArgs>>>;
  /** Default: all hosts in one wave, none of which may fail. */
  rollout?: RolloutArgs;
  /** Another machine that the gates of all hosts are tried from; see {@link KnockGateArgs}. */
  proveFrom?: pulumi.Input<ConnectionArgs>;
  /** As of {@link KnockGateArgs}, for all hosts. */
  behind?: pulumi.Input<readonly pulumi.Input<ProfileGate>[]>;
  /** As of {@link KnockGateArgs}, for all hosts. */
  hopProfiles?: pulumi.Input<readonly pulumi.Input<Profile>[]>;
  /** As of {@link KnockGateArgs}, with the health command's time added to its default. */
  undoAfterSeconds?: pulumi.Input<number>;
  /** As of {@link KnockGateArgs}. */
  adopt?: pulumi.Input<boolean>;
  /** As of {@link KnockGateArgs}. */
  deleteUnreachable?: pulumi.Input<boolean>;
}
