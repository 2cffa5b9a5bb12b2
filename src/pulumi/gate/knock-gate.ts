import * as pulumi from "@pulumi/pulumi";
import type { Profile } from "../../knock/clients/profile.js";
import type { GateCounts } from "../../policy/counts.js";
import type { WrittenPolicy } from "../../policy/written-policy.js";
import { listGiven } from "../given.js";
import { defineLazy } from "../lazy.js";
import { nameOrigin } from "../origin.js";
import { namePlace } from "../place.js";
import { registerRuleset } from "../ruleset/ruleset.js";
import type { KnockGateArgs } from "./args.js";
import { GatedHost, type GateKnock } from "./gated-host.js";
import type { GuardedCommand, GuardedCommandArgs } from "./guarded-command.js";

/**
 * Puts a host's ports behind port knocking, and proves it.
 *
 * Each change is one transaction on the host: connect (through the gate, if it is closed), stage, arm, load, prove
 * from outside, confirm. If anything fails, the host keeps or gets back what it had, by its own timer if necessary.
 *
 * An invalid policy fails in preview with all its findings. A failed change's message ends with a stable code.
 *
 * @example
 * new KnockGate("edge", {
 *   connection: { host: "203.0.113.7", user: "ops", privateKey, hostKey },
 *   policy: {
 *     name: "edge",
 *     users: [{ name: "ada", key: config.requireSecret("adaKey") }],
 *     gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62201 } } }],
 *   },
 * });
 */
export class KnockGate extends pulumi.ComponentResource {
  /** The ruleset that the host confirmed, each step's port replaced by a label. */
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
   * Packets counted since the ruleset was loaded, by the gate's name, as of the last `pulumi refresh`. A change of
   * counters alone is not a diff. Empty before the first refresh, and after a change.
   */
  readonly counters: pulumi.Output<Readonly<Record<string, GateCounts>>>;
  readonly #host: GatedHost;

  /** Registers the gate under a name that is unique among the program's gates. */
  constructor(name: string, args: KnockGateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("knockgate:index:KnockGate", name, {}, opts);
    const { connection, policy, proveFrom, behind, hopProfiles, ...options } = fillArgs(args);
    const { undoAfterSeconds, adopt, deleteUnreachable, ...others } = options;
    const ruleset = registerRuleset(
      name,
      {
        connection,
        policy,
        proveFrom,
        behind,
        hopProfiles,
        undoAfterSeconds,
        adopt,
        deleteUnreachable,
        origin: nameOrigin(this),
        unknownArguments: listGiven(others),
      },
      { parent: this },
    );
    this.#host = new GatedHost(name, {
      resource: this,
      ruleset,
      present: ruleset.policy as pulumi.Output<WrittenPolicy>,
      connection,
      behind,
      hopProfiles,
      place: namePlace(this),
    });
    defineLazy(this, "ruleset", () => this.#host.ruleset);
    this.digest = this.#host.digest;
    this.knock = this.#host.knock;
    this.sshConfig = this.#host.sshConfig;
    this.profile = this.#host.profile;
    this.counters = this.#host.counters;
    // The state has what the outputs are made from, with the resource. A program gets them all the same.
    this.registerOutputs({});
  }

  /**
   * Resource hooks for other resources that dial the host by SSH, such as `@pulumi/command`'s: they send the knock right
   * before a create, update or delete, and once more, up to three times, when the host could not be dialled. Give the
   * resource `dependsOn: gate` as well, so that it goes before the gate does. Deleting such a resource needs the
   * program: `pulumi destroy --run-program`.
   *
   * @example
   * new command.remote.CopyToRemote("motd", { connection, source, remotePath }, { dependsOn: gate, hooks: gate.hooks });
   */
  get hooks(): pulumi.ResourceHookBinding {
    return this.#host.hooks;
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
    return this.#host.profileOf(user);
  }

  /**
   * Makes a `remote.Command` of `@pulumi/command` with the gate's own connection, that finds the gate open.
   *
   * @example
   * gate.command("hostname", { create: "hostname" }).stdout
   */
  command(name: string, args: GuardedCommandArgs, opts?: pulumi.CustomResourceOptions): GuardedCommand {
    return this.#host.command(name, args, opts);
  }
}

/** A program without types can leave all of them out; what is missing is the resource's to find. */
function fillArgs(args: KnockGateArgs | undefined): KnockGateArgs {
  return args ?? ({} as KnockGateArgs);
}
