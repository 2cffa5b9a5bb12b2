import * as pulumi from "@pulumi/pulumi";
import type { HealthCheck } from "../../change/health.js";
import type { Profile } from "../../knock/clients/profile.js";
import { GatedHost, type Gating } from "../gate/gated-host.js";
import { isRecord } from "../given.js";
import { forgetResources } from "../independent.js";
import { nameOrigin } from "../origin.js";
import { namePlace } from "../place.js";
import { findPresent, type RegisteredRuleset, readStored, registerRuleset } from "../ruleset/ruleset.js";
import type { KnockFleetArgs } from "./args.js";
import { type FleetPlan, planFleet } from "./plan.js";
import { registerWave, type Wave } from "./wave.js";
import type { WaveSummary } from "./wave-summary.js";

/**
 * Puts many hosts behind port knocking, wave by wave.
 *
 * Each host is changed in one transaction, as by {@link KnockGate}, and is left as it was if that fails. If more hosts
 * of a wave fail than `maxFailures` allows, `up` fails after all hosts of the wave were tried, and no host of a later
 * wave is touched. Running it again tries the failed hosts again and goes on. To change, add or remove one host touches
 * only that host.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` with all that is wrong with hosts, groups and rollout; a wrong policy fails
 * in preview, as with {@link KnockGate}.
 *
 * @example
 * new KnockFleet("web", {
 *   hosts: { "web-1": { connection: { host: "203.0.113.1" } }, "web-2": { connection: { host: "203.0.113.2" } } },
 *   connection: { user: "ops", privateKey },
 *   policy: { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] },
 *   rollout: { waves: [{ count: 1 }, { percent: 10 }, { percent: 100 }], pauseBetweenSeconds: 60 },
 * });
 */
export class KnockFleet extends pulumi.ComponentResource {
  /** Each host by its name, with the outputs of a {@link KnockGate}. */
  readonly hosts: Readonly<Record<string, GatedHost>>;
  /** The blocks of all hosts for ssh_config(5), in which a host is called `FLEET-HOST`. Secret: the knocks are in it. */
  readonly sshConfig: pulumi.Output<string>;
  /** The profile of each host by the host's name, as `knockgate profile add` keeps them. Secret. */
  readonly profiles: pulumi.Output<Readonly<Record<string, Profile>>>;
  /**
   * What happened in each wave and to each host when a host of the wave was last changed, or when such a change last
   * failed.
   */
  readonly summary: pulumi.Output<readonly WaveSummary[]>;

  /** Registers the fleet under a name that is unique among the program's fleets. */
  constructor(name: string, args: KnockFleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("knockgate:index:KnockFleet", name, {}, opts);
    const plan = planFleet(name, args ?? {});
    const hosts: Record<string, GatedHost> = {};
    const waves: Wave[] = [];
    for (const names of plan.waves) {
      const rulesets = new Map(
        names.map((host) => {
          const made = makeRuleset(name, this, args, plan, host, waves.at(-1));
          hosts[host] = new GatedHost(`${name}-${host}`, {
            resource: made.ruleset.resource,
            ...made,
            present: findPresent(made.ruleset),
            place: `${namePlace(this)}/${host}`,
          });
          return [host, made.ruleset];
        }),
      );
      waves.push(makeWave(name, this, plan, waves.length, rulesets));
    }
    this.hosts = hosts;
    const blocks = Object.values(hosts).map(({ sshConfig }) => sshConfig);
    this.sshConfig = pulumi.secret(pulumi.all(blocks).apply((all) => all.join("\n")));
    const profiles = Object.entries(hosts).map(([host, { profile }]) => [host, profile]);
    this.profiles = pulumi.secret(pulumi.all(Object.fromEntries(profiles)));
    this.summary = pulumi.all(waves.map(({ summary }) => summary));
    // The states of the waves have the summaries.
    this.registerOutputs({});
  }
}

function makeRuleset(
  fleetName: string,
  fleet: KnockFleet,
  args: KnockFleetArgs,
  { rollout }: FleetPlan,
  host: string,
  wave: Wave | undefined,
): Pick<Gating, "ruleset" | "connection" | "behind" | "hopProfiles"> {
  const own = args.hosts[host] ?? {};
  const { connection, group, policy, proveFrom = args.proveFrom } = own;
  const { behind = args.behind, hopProfiles = args.hopProfiles } = own;
  const { undoAfterSeconds, adopt, deleteUnreachable } = args;
  const merged = merge(args.connection, connection) as pulumi.Input<never>;
  const ruleset = registerRuleset(
    `${fleetName}-${host}`,
    {
      connection: merged,
      policy: merge(args.policy ?? args.policies?.[group ?? ""], policy),
      proveFrom,
      behind,
      hopProfiles,
      undoAfterSeconds,
      adopt,
      deleteUnreachable,
      origin: nameOrigin(fleet, host),
      health: findHealth(rollout),
      recordFailure: true,
      keepFormer: rollout.onFailure === "undo" ? true : undefined,
    },
    { parent: fleet, ...(wave === undefined ? {} : { dependsOn: wave }) },
  );
  return { ruleset, connection: merged, behind, hopProfiles };
}

function makeWave(
  fleetName: string,
  fleet: KnockFleet,
  { rollout, waves }: FleetPlan,
  index: number,
  rulesets: ReadonlyMap<string, RegisteredRuleset>,
): Wave {
  const { maxFailures, pauseBetweenSeconds, onFailure } = rollout;
  const hosts = pulumi.all(
    [...rulesets].map(([name, { lastChange, failure }]) =>
      pulumi
        .all([lastChange, failure])
        .apply(([change, why]) => ({ name, lastChange: change, failure: why })),
    ),
  );
  const isLast = index === waves.length - 1;
  return registerWave(
    `${fleetName}-wave-${index + 1}`,
    {
      fleet: fleetName,
      wave: index + 1,
      of: waves.length,
      maxFailures,
      pauseSeconds: isLast ? 0 : pauseBetweenSeconds,
      onFailure,
      hosts: forgetResources(hosts),
      rulesets: onFailure === "undo" ? listStored(rulesets, findHealth(rollout)) : undefined,
    },
    { parent: fleet, dependsOn: [...rulesets.values()].map(({ resource }) => resource) },
  );
}

function findHealth({ healthCommand, healthTimeoutSeconds }: FleetPlan["rollout"]): HealthCheck | undefined {
  if (healthCommand === undefined) return undefined;
  return { command: healthCommand, timeoutSeconds: healthTimeoutSeconds };
}

/** What puts hosts back. What brings them to their ruleset again later must find them well, as the first time. */
function listStored(
  rulesets: ReadonlyMap<string, RegisteredRuleset>,
  health: HealthCheck | undefined,
): pulumi.Output<object> {
  return pulumi.all(
    Object.fromEntries([...rulesets].map(([name, ruleset]) => [name, readStored(ruleset, health)])),
  );
}

/** What is given for one host takes the place of what is given for all. What has no fields is the resource's to find. */
function merge(
  common: pulumi.Input<object> | undefined,
  own: pulumi.Input<object> | undefined,
): pulumi.Input<unknown> {
  const join = (all: object, one: object): unknown => {
    const wrong = [all, one].find((part) => !isRecord(part));
    return wrong ?? { ...all, ...one };
  };
  // Plain values are joined at once: an output of both would be unknown as a whole when one field is unknown.
  if (isPlain(common) && isPlain(own)) return join(common ?? {}, own ?? {});
  return pulumi.all([common ?? {}, own ?? {}]).apply(([all, one]) => join(all, one));
}

function isPlain(input: pulumi.Input<object> | undefined): input is object | undefined {
  return !pulumi.Output.isInstance(input) && !(input instanceof Promise);
}
