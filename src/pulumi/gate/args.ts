import type * as pulumi from "@pulumi/pulumi";
import type { Profile, ProfileGate } from "../../knock/clients/profile.js";
import type { ConnectionArgs } from "./connection-args.js";

/** Everything declared for one host's firewall. */
export interface PolicyArgs {
  /** 1 to 32 of a-z, 0-9 and -, beginning with a letter; names the table `inet knockgate_<name>`. */
  name: pulumi.Input<string>;
  /** At least one. */
  gates: pulumi.Input<pulumi.Input<GateArgs>[]>;
  /** Whose tokens open the gates that tokens open. Default: none. */
  users?: pulumi.Input<pulumi.Input<UserArgs>[]>;
  /** The user as whom the deployer passes. Default: the first user whose tokens open the gate. */
  deployAs?: pulumi.Input<string>;
  /** How tokens come and go. Defaults are good for most hosts. */
  tokens?: pulumi.Input<TokenSettingsArgs>;
  /** Addresses and prefixes (CIDR, IPv4 and IPv6) that never need to knock. Default: none. */
  allowFrom?: pulumi.Input<pulumi.Input<string>[]>;
  /** Addresses and prefixes for which no door is ever open. It takes precedence over `allowFrom`. Default: none. */
  denyFrom?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The firewall that holds the gate on the host: `nftables` or `iptables`. To change it is one change of the host.
   * Default: `nftables`.
   */
  backend?: pulumi.Input<string>;
  /**
   * `input` gates traffic to the host itself. `prerouting` gates before destination NAT, and only for addresses of the
   * host, so that ports published by container engines are behind the gate, too. Default: `input`.
   */
  scope?: pulumi.Input<string>;
  /**
   * Whether everything that conntrack does not know is dropped at a gated port, and not only what could begin a
   * connection. Sessions that are idle at the first load are cut. Default: false.
   */
  stealth?: pulumi.Input<boolean>;
  /** What goes to the kernel's log. Default: nothing. */
  log?: pulumi.Input<LogArgs>;
  /** Defaults are good for most hosts. */
  limits?: pulumi.Input<LimitsArgs>;
  /** Rules of the linter (docs/lint.md) whose errors are accepted for this policy. Default: none. */
  acceptRisks?: pulumi.Input<pulumi.Input<string>[]>;
  /** The policy's own tests, run on a model of it in every preview. Default: none. */
  expect?: pulumi.Input<pulumi.Input<ExpectationArgs>[]>;
}

/** Lines in the kernel's log, rate-limited. */
export interface LogArgs {
  /** `opened`, `accepted`, `dropped`, `reset`; at least one. */
  events: pulumi.Input<pulumi.Input<string>[]>;
  /** Begins each line; 1 to 12 letters, digits, _ or -. Default: `knockgate`. */
  prefix?: pulumi.Input<string>;
  /** Lines a minute for each gate and event. 1 to 10,000; default 30. */
  perMinute?: pulumi.Input<number>;
}

/** Limits to what a flood can take. */
export interface LimitsArgs {
  /** Sources that a set of nftables holds at once. 16 to 1,048,576; default 65,536, about 7 MB when full. */
  sources?: pulumi.Input<number>;
  /** First steps that count, from one IPv4 /24 or IPv6 /64. 0 (all) to 10,000; default 20. */
  firstStepsPerSecond?: pulumi.Input<number>;
}

/** Whether a gate must be open or closed for a source after some packets. */
export interface ExpectationArgs {
  /** 1 to 200 characters. The message about a failure shows it. */
  name: pulumi.Input<string>;
  /** The source's address. */
  from: pulumi.Input<string>;
  /** What the source sends, in order; at most 1,000. Default: nothing. */
  packets?: pulumi.Input<pulumi.Input<ExpectedPacketArgs>[]>;
  /** The name of the gate that is tried. */
  gate: pulumi.Input<string>;
  /** How long after the last packet. Default: 0. */
  afterSeconds?: pulumi.Input<number>;
  /** Whether the gate must let the source in then. */
  isOpen: pulumi.Input<boolean>;
}

/** A step, or a token for the gate that is tried, and how long after the packet before it is sent. */
export interface ExpectedPacketArgs extends StepArgs {
  /** The name of the user whose token it is. */
  token?: pulumi.Input<string>;
  /** Only for `token`: how many slots after the current one. Default: the next slot that the user has not sent. */
  slot?: pulumi.Input<number>;
  /** Only for `token`: whether it is the token that the user sent last. Default: false. */
  again?: pulumi.Input<boolean>;
  /** Only for `token`: whether it closes the door. Default: false. */
  close?: pulumi.Input<boolean>;
  /** Default: 0. */
  afterSeconds?: pulumi.Input<number>;
}

/** Protected ports and the knock that opens them. */
export interface GateArgs {
  /** 1 to 32 of a-z, 0-9 and -, beginning with a letter; unique in its policy. */
  name: pulumi.Input<string>;
  /** At least one. */
  protect: pulumi.Input<pulumi.Input<ProtectArgs>[]>;
  /** What opens it. */
  knock: pulumi.Input<KnockArgs>;
  /** How long after the last step, or the token, new connections are accepted from that source. 1 to 86,400; default 30. */
  openForSeconds?: pulumi.Input<number>;
  /** Whether a door lets in one connection for each time that it is opened. Default: false. */
  singleConnection?: pulumi.Input<boolean>;
}

/** Somebody with a key of their own. */
export interface UserArgs {
  /** 1 to 32 of a-z, 0-9 and -, beginning with a letter; unique in its policy. */
  name: pulumi.Input<string>;
  /** 32 to 64 of A-Z, a-z, 0-9, - and _, as `userKey` makes them. Secret, even if it is not marked as a secret. */
  key: pulumi.Input<string>;
  /** The gates that the user's tokens open. Default: all gates that tokens open. */
  gates?: pulumi.Input<pulumi.Input<string>[]>;
  /** Sources from which the user's tokens count: addresses, or prefixes in CIDR notation. Default: any. */
  from?: pulumi.Input<pulumi.Input<string>[]>;
}

/** How tokens come and go. */
export interface TokenSettingsArgs {
  /** How long a slot is. 10 to 3,600; default 60. */
  slotSeconds?: pulumi.Input<number>;
  /** How far ahead a host holds tokens. 1 to 90; default 7. */
  horizonDays?: pulumi.Input<number>;
  /** How long a token still opens after the end of its slot. 0 to 3,600; default 120. */
  graceSeconds?: pulumi.Input<number>;
}

/** What carries a token: exactly one of the fields. */
export interface TokenArgs {
  /** A datagram to this port, 1 to 65,535. */
  udp?: pulumi.Input<number>;
  /** `true`: an ICMP or ICMPv6 echo request. */
  icmpEcho?: pulumi.Input<boolean>;
}

/** A protected port or range: exactly one of the fields, like `"22"` or `"8000-8010"`. */
export interface ProtectArgs {
  /** A TCP port or range. */
  tcp?: pulumi.Input<string>;
  /** A UDP port or range. */
  udp?: pulumi.Input<string>;
}

/**
 * What a client sends: exactly one of `steps` and `token`. Kept secret in state, previews and logs, even if it is not
 * marked as a secret.
 */
export interface KnockArgs {
  /** 1 to 16, sent in this order. */
  steps?: pulumi.Input<pulumi.Input<StepArgs>[]>;
  /** Only for `steps`: longest pause between two steps. 1 to 86,400; default 5. */
  stepTimeoutSeconds?: pulumi.Input<number>;
  /**
   * Whether any other new packet from a source in mid-knock puts it back to the start, so that a port sweep can't
   * walk through. Default: true.
   */
  strict?: pulumi.Input<boolean>;
  /** One packet that is good once, for one user (docs/tokens.md). */
  token?: pulumi.Input<TokenArgs>;
}

/** One packet: exactly one of `tcp`, `udp` and `icmpPayloadBytes`; ports are 1 to 65,535, sizes 0 to 1,232. */
export interface StepArgs {
  /** A TCP SYN to this port. */
  tcp?: pulumi.Input<number>;
  /** A UDP datagram to this port. */
  udp?: pulumi.Input<number>;
  /** Only for `udp`: a datagram with exactly this many bytes of payload. Default: any size. */
  udpPayloadBytes?: pulumi.Input<number>;
  /** An ICMP or ICMPv6 echo request with exactly this many bytes of payload. */
  icmpPayloadBytes?: pulumi.Input<number>;
}

/** The arguments of {@link KnockGate}. */
export interface KnockGateArgs {
  /**
   * How to reach the host; a change of `host` replaces the gate. Secret as a whole, even if it is not marked as a
   * secret.
   */
  connection: pulumi.Input<ConnectionArgs>;
  /** What is declared for the host's firewall. Secret as a whole. */
  policy: pulumi.Input<PolicyArgs>;
  /**
   * Another machine that the gates are tried from, before and after the knock. Use it if the deployer's own address is
   * in `allowFrom`, so that the deployer never has to knock. The machine needs perl, but not root. Default: the machine
   * from which the deployer's own packets leave.
   */
  proveFrom?: pulumi.Input<ConnectionArgs>;
  /**
   * Gates of another policy on the same host that protect SSH: the other gate's output `knock`, or its profile's
   * `gates`. Their knocks, as the state has them, open the way for each change, refresh and removal. This gate is then
   * created after the other one, and deleted before it. Secret as a whole. Default: none.
   */
  behind?: pulumi.Input<readonly pulumi.Input<ProfileGate>[]>;
  /**
   * Profiles of machines on the way that are gated themselves: of the bastion, of jump hosts in ssh_config, and of
   * `proveFrom` with its own way. Give the output `profile` of each machine's KnockGate, or what its `profileOf`
   * returns. A machine's knock is sent before each connection to it. A profile is of a machine if its `name` or its
   * `way.host` is the machine's host, as the connection has it or as ssh_config resolves it, and if one of its gates
   * protects the machine's SSH port. This gate is then created after the machines' gates, and deleted before them.
   * Secret as a whole. Default: none.
   */
  hopProfiles?: pulumi.Input<readonly pulumi.Input<Profile>[]>;
  /**
   * Seconds after which the host undoes, by itself, a change that was not confirmed. 10 to 86,400; default 60, or three
   * times what the proof of all gates takes if that is longer. Gates are proven one after another, in about a second
   * each.
   */
  undoAfterSeconds?: pulumi.Input<number>;
  /**
   * Whether to take over, and change, a policy of this name that another owner has confirmed on the host and that
   * differs from this one. Without it, such a change is refused, and nothing is touched. It is not needed to take over
   * exactly the same policy. Default: false.
   */
  adopt?: pulumi.Input<boolean>;
  /**
   * Whether deleting this gate succeeds if its host can't be reached any more, or if another machine has its address.
   * Nothing is removed there then. To change only this argument contacts no host. Default: false.
   */
  deleteUnreachable?: pulumi.Input<boolean>;
}
