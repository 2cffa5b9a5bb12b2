import * as pulumi from "@pulumi/pulumi";
import { type KnockCommands, writeGateCommands } from "../../knock/clients/knock-commands.js";
import {
  type ClientPolicy,
  listGates,
  makeProfile,
  type Profile,
  type ProfileGate,
} from "../../knock/clients/profile.js";
import { writeSshConfig } from "../../knock/clients/ssh-config.js";
import { readSshEndpoint, type SshEndpoint } from "../../knock/clients/ssh-endpoint.js";
import type { GateCounts } from "../../policy/counts.js";
import { readGates, type WrittenPolicy } from "../../policy/written-policy.js";
import { defineLazy } from "../lazy.js";
import { isServed } from "../registration.js";
import type { RegisteredRuleset } from "../ruleset/ruleset.js";
import type { KnockGateArgs } from "./args.js";
import type { ConnectionArgs } from "./connection-args.js";
import { type GuardedCommand, type GuardedCommandArgs, makeGuardedCommand } from "./guarded-command.js";
import { canRegisterHooks, type GatedConnection, registerHooks } from "./hooks.js";

/** What a client needs to know to open a gate, with commands that do it. */
export interface GateKnock extends ProfileGate {
  /** The whole sequence as one line for each tool that can send it. */
  readonly commands: KnockCommands;
}

/** A host's gates, as its component made them. */
export interface Gating {
  /** A resource that needs open gates depends on this one: it is created after it, and deleted before it. */
  readonly resource: pulumi.Resource;
  readonly ruleset: RegisteredRuleset;
  /** The policy that the host has; `undefined` when it has none. Secret. */
  readonly present: pulumi.Output<WrittenPolicy | undefined>;
  readonly connection: pulumi.Input<ConnectionArgs>;
  /** Gates of other policies on the host that SSH is behind. */
  readonly behind: KnockGateArgs["behind"];
  /** Profiles of machines on the way that are gated themselves. */
  readonly hopProfiles: KnockGateArgs["hopProfiles"];
  /** The host's place in the program. No other host has the same. */
  readonly place: string;
}

/** A host whose gates are proven, and what others need to get through them. */
export class GatedHost {
  /** The ruleset that the host confirmed, each step's port replaced by a label. It has no token and no key. */
  declare readonly ruleset: pulumi.Output<string>;
  /** SHA-256 of the ruleset that the host confirmed. Secret: a short port list can be guessed from its hash. */
  readonly digest: pulumi.Output<string>;
  /** The knock of each gate. Secret. */
  readonly knock: pulumi.Output<readonly GateKnock[]>;
  /**
   * A block for ssh_config(5). The host in it is called like this resource. Its ProxyCommand knocks and then connects,
   * by bash, coreutils and, for ICMP steps, ping. If no gate protects the SSH port, nothing knocks. Secret: the knock
   * is in it.
   */
  readonly sshConfig: pulumi.Output<string>;
  /** How the host is reached and its gates are opened, as `knockgate profile add` keeps it. Secret. */
  readonly profile: pulumi.Output<Profile>;
  /**
   * Packets counted since the ruleset was loaded, by the gate's name, as of the last `pulumi refresh`, and which users
   * opened it. A change of counters alone is not a diff. Empty before the first refresh, and after a change.
   */
  readonly counters: pulumi.Output<Readonly<Record<string, GateCounts>>>;
  readonly #registerHooks: () => pulumi.ResourceHookBinding;
  #hooks: pulumi.ResourceHookBinding | undefined;
  readonly #gating: Gating;
  readonly #name: string;
  readonly #read: pulumi.Output<ReachedHost>;

  constructor(name: string, gating: Gating) {
    const { ruleset, present, connection, behind, hopProfiles } = gating;
    defineLazy(this, "ruleset", () => ruleset.readRuleset());
    this.digest = ruleset.digest;
    // Missing under Pulumi's mocks.
    this.counters = ruleset.counters.apply((counters) => counters ?? {});
    const way = pulumi.all([connection, behind ?? [], hopProfiles ?? []]);
    const gated = way.apply(([reached, others, hops]): pulumi.Output<KnownConnection> => {
      return present.apply((policy) => ({ connection: reached, policy, behind: others, hopProfiles: hops }));
    });
    const read = gated.apply(({ connection: reached, policy }): ReachedHost => {
      return { way: readSshEndpoint(reached), policy: policy && readGates(policy) };
    });
    this.knock = pulumi.secret(read.apply(listKnocks));
    this.sshConfig = pulumi.secret(read.apply((it) => writeSshConfig(name, it.way, it.policy)));
    this.profile = pulumi.secret(read.apply((it) => makeProfile(name, it.way, it.policy)));
    // In the plugin's process, no program could use hooks.
    this.#registerHooks = () => (isServed() ? {} : registerHooks(gating.place, gated));
    if (canRegisterHooks()) this.#hooks = this.#registerHooks();
    this.#gating = gating;
    this.#name = name;
    this.#read = read;
  }

  /**
   * Makes the profile of one user of the policy, who need not be the deployer's: what that person keeps by `knockgate
   * profile add`, called `NAME-USER`. It holds the key of that user only. Gates that the user's tokens do not open are left
   * out; a warning says so if the host's policy has no such user. Secret.
   *
   * @example
   * export const profiles = { ada: gate.profileOf("ada"), ben: gate.profileOf("ben") };
   */
  profileOf(user: string): pulumi.Output<Profile> {
    const made = this.#read.apply(({ way, policy }) => {
      if (policy?.users.some(({ name }) => name === user) === false)
        void pulumi.log.warn(
          `${this.#name}: its policy has no user ${user}, so the profile opens no gate by tokens`,
        );
      return makeProfile(`${this.#name}-${user}`, way, policy, user);
    });
    return pulumi.secret(made);
  }

  /**
   * Resource hooks for other resources that dial the host by SSH, such as `@pulumi/command`'s: they send the knock right
   * before a create, update or delete, and once more, up to three times, when the host could not be dialled. Give the
   * resource `dependsOn` what gates the host as well, so that it goes before the gate does. Deleting such a resource
   * needs the program: `pulumi destroy --run-program`.
   *
   * @example
   * new command.remote.CopyToRemote("motd", { connection, source, remotePath }, { dependsOn: gate, hooks: gate.hooks });
   */
  get hooks(): pulumi.ResourceHookBinding {
    this.#hooks ??= this.#registerHooks();
    return this.#hooks;
  }

  /**
   * Makes a `remote.Command` of `@pulumi/command` with the host's own connection, that finds the gates open.
   *
   * @example
   * gate.command("hostname", { create: "hostname" }).stdout
   */
  command(name: string, args: GuardedCommandArgs, opts?: pulumi.CustomResourceOptions): GuardedCommand {
    return makeGuardedCommand(this.#gating, this.hooks, name, args, opts);
  }
}

/** A connection once all of it is known, and the policy that the host confirmed. */
interface KnownConnection extends GatedConnection {
  readonly connection: pulumi.Unwrap<ConnectionArgs>;
  readonly policy: WrittenPolicy | undefined;
}

/** How a host is reached, and its gates. */
interface ReachedHost {
  readonly way: SshEndpoint;
  readonly policy: ClientPolicy | undefined;
}

function listKnocks({ way, policy }: ReachedHost): readonly GateKnock[] {
  return listGates(way, policy).map((gate) => ({ ...gate, commands: writeGateCommands(gate, way) }));
}
