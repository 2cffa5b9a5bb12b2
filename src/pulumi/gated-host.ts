import * as pulumi from "@pulumi/pulumi";
import { type KnockCommands, writeKnockCommands } from "../client/knock-commands.js";
import { listGates, makeProfile, type Profile, type ProfileGate } from "../client/profile.js";
import { writeSshConfig } from "../client/ssh-config.js";
import { readWay, type Way } from "../client/way.js";
import type { GateCounts } from "../plan/counts.js";
import type { Policy } from "../policy/policy.js";
import type { ConnectionArgs } from "./args.js";
import { type GuardedCommand, type GuardedCommandArgs, makeGuardedCommand } from "./guarded-command.js";
import { type GatedConnection, makeHooks } from "./hooks.js";
import type { Ruleset } from "./ruleset.js";

/** What a client needs to know to open a gate, with commands that do it. */
export interface GateKnock extends ProfileGate {
  /** The whole sequence as one line for each tool that can send it. */
  readonly commands: KnockCommands;
}

/** What a host is gated by. */
export interface Gating {
  /** What a resource that finds the gates open comes after, and goes before. */
  readonly resource: pulumi.Resource;
  readonly ruleset: Ruleset;
  /** The policy that it has; `undefined`: none. Secret. */
  readonly present: pulumi.Output<Policy | undefined>;
  readonly connection: pulumi.Input<ConnectionArgs>;
}

/** A host whose gates are proven, and what others need to get through them. */
export class GatedHost {
  /** The ruleset that the host confirmed, each step's port replaced by a label. */
  readonly ruleset: pulumi.Output<string>;
  /** SHA-256 of the ruleset that the host confirmed. Secret: a short port list can be guessed from its hash. */
  readonly digest: pulumi.Output<string>;
  /** The knock of each gate. Secret. */
  readonly knock: pulumi.Output<readonly GateKnock[]>;
  /**
   * A block for ssh_config(5), for a host called like this resource: its ProxyCommand knocks, and then connects, by bash,
   * coreutils and, for ICMP steps, ping. Where no gate protects the SSH port it has none. Secret: the knock is in it.
   */
  readonly sshConfig: pulumi.Output<string>;
  /** How the host is reached and its gates are opened, as `knockgate profile add` keeps it. Secret. */
  readonly profile: pulumi.Output<Profile>;
  /**
   * What the host's kernel had counted at the last `pulumi refresh` since the ruleset was loaded, by the gate's name:
   * never a difference of its own. `undefined` before the first refresh, and after a change.
   */
  readonly counters: pulumi.Output<Readonly<Record<string, GateCounts>> | undefined>;
  readonly #name: string;
  readonly #gating: Gating;
  readonly #gated: pulumi.Output<Gated>;
  #hooks: pulumi.ResourceHookBinding | undefined;

  /** @param name unique in its program: hooks are named after it */
  constructor(name: string, gating: Gating) {
    const { ruleset, present, connection } = gating;
    this.ruleset = ruleset.ruleset;
    this.digest = pulumi.secret(ruleset.digest);
    this.counters = ruleset.counters;
    const gated = pulumi.output(connection).apply((reached): pulumi.Output<Gated> => {
      return present.apply((policy) => ({ connection: reached, policy }));
    });
    this.knock = pulumi.secret(gated.apply((it) => listKnocks(it.policy, readWay(it.connection))));
    this.sshConfig = pulumi.secret(
      gated.apply((it) => writeSshConfig(name, readWay(it.connection), it.policy)),
    );
    this.profile = pulumi.secret(gated.apply((it) => makeProfile(name, readWay(it.connection), it.policy)));
    this.#name = name;
    this.#gating = gating;
    this.#gated = gated;
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
    this.#hooks ??= makeHooks(this.#name, this.#gated);
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

/** What the engine has of a connection once all of it is known, and the policy that the host confirmed. */
interface Gated extends GatedConnection {
  readonly connection: pulumi.Unwrap<ConnectionArgs>;
  readonly policy: Policy | undefined;
}

function listKnocks(policy: Policy | undefined, way: Way): readonly GateKnock[] {
  return listGates(policy).map((gate) => ({ ...gate, commands: writeKnockCommands(gate.steps, way) }));
}
