import * as pulumi from "@pulumi/pulumi";
import { KnockgateError } from "../../errors.js";
import type { KnockFleetArgs } from "../fleet/args.js";
import { KnockFleet } from "../fleet/knock-fleet.js";
import type { KnockGateArgs } from "../gate/args.js";
import { KnockGate } from "../gate/knock-gate.js";
import { isRecord } from "../given.js";
import type { Settling } from "../independent.js";
import { withLog } from "../log.js";
import { attachState, readAttached } from "../ruleset/partial.js";
import * as ruleset from "../ruleset/provider.js";
import { listSecrets, storedSecrecy, waveSecrecy } from "../secrecy.js";
import type { Offer } from "./offer.js";
import { listOutputs, listPlainInputs, type Schema } from "./schema.js";
import { markSecrets, openSecrets } from "./secrets.js";

type RulesetOperations = Pick<typeof ruleset, "check" | "diff" | "create" | "read" | "update" | "delete">;
type Construct = (
  name: string,
  inputs: pulumi.Inputs,
  opts: pulumi.ComponentResourceOptions,
) => pulumi.ComponentResource;

const components: { readonly [Name in keyof Offer["components"]]: Construct } = {
  KnockGate: (name, inputs, opts) => new KnockGate(name, inputs as unknown as KnockGateArgs, opts),
  KnockFleet: (name, inputs, opts) =>
    new KnockFleet(name, sortHosts(inputs as unknown as KnockFleetArgs), opts),
};

interface Served {
  readonly operations: RulesetOperations;
  /** The properties that are always secret, whether a program marked them or not. */
  readonly secrets: readonly string[];
}

const resources: { readonly [Name in keyof Offer["resources"]]: Served } = {
  Ruleset: { operations: ruleset, secrets: listSecrets(storedSecrecy) },
  Wave: { operations: ruleset.wave, secrets: listSecrets(waveSecrecy) },
};

/** Sorts the hosts by name: in most languages maps have no order, and waves need one. */
function sortHosts(args: KnockFleetArgs): KnockFleetArgs {
  if (!isRecord(args.hosts)) return args;
  const hosts = Object.entries(args.hosts).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...args, hosts: Object.fromEntries(hosts) };
}

/**
 * Serves the components and the resources that they make. The engine marks the secrets that it sends. Each answer marks
 * what must stay secret, too.
 */
export function makeProvider(schemaText: string): pulumi.provider.Provider {
  const schema: Schema = JSON.parse(schemaText);
  return {
    version: schema.version,
    schema: schemaText,
    async construct(name, type, inputs, opts) {
      const make = find(components, type);
      const component = make(name, await settle(inputs, listPlainInputs(schema, type)), opts);
      const outputs = component as unknown as pulumi.Inputs;
      const state = Object.fromEntries(listOutputs(schema, type).map((output) => [output, outputs[output]]));
      return { urn: component.urn, state };
    },
    check: (urn, olds, news) =>
      serve(urn, async ({ secrets, operations }) => {
        const { inputs, failures } = await operations.check(openSecrets(olds), openSecrets(news));
        return { inputs: markSecrets(inputs, secrets), failures: [...failures] };
      }),
    diff: (id, urn, olds, news) =>
      serve(urn, async ({ operations }) => {
        const { replaces, ...found } = await operations.diff(id, openSecrets(olds), openSecrets(news));
        return { ...found, replaces: [...replaces] };
      }),
    create: (urn, inputs) =>
      serve(urn, async ({ secrets, operations }) => {
        const { id, outs } = await markAttached(secrets, operations.create(openSecrets(inputs)));
        return { id, outs: markSecrets(outs, secrets) };
      }),
    read: (id, urn, state) =>
      serve(urn, async ({ secrets, operations }) => {
        const { id: seen, props = {}, inputs = {} } = await operations.read(id, openSecrets(state));
        return { id: seen, props: markSecrets(props, secrets), inputs: markSecrets(inputs, secrets) };
      }),
    update: (id, urn, olds, news) =>
      serve(urn, async ({ secrets, operations }) => {
        const { outs } = await markAttached(
          secrets,
          operations.update(id, openSecrets(olds), openSecrets(news)),
        );
        return { outs: markSecrets(outs, secrets) };
      }),
    delete: (id, urn, state) => serve(urn, ({ operations }) => operations.delete(id, openSecrets(state))),
  };
}

/** Marks the secrets in the state that a failure carries: the engine saves that state, too. */
function markAttached<T>(secrets: readonly string[], ending: Promise<T>): Promise<T> {
  return ending.catch((error: unknown) => {
    const partial = readAttached(error);
    if (partial === undefined || !(error instanceof Error)) throw error;
    throw attachState(error, { id: partial.id, properties: markSecrets({ ...partial.properties }, secrets) });
  });
}

/**
 * Turns inputs that must be plain values back into such: the SDK makes an output of a value that has a secret anywhere
 * in it. The resources made from the inputs mark the secrets again.
 */
async function settle(inputs: pulumi.Inputs, names: readonly string[]): Promise<pulumi.Inputs> {
  const settled = names.map(async (name): Promise<readonly [string, unknown]> => {
    const value: unknown = inputs[name];
    if (!pulumi.Output.isInstance(value)) return [name, value];
    const { isKnown, promise } = value as unknown as Settling;
    if (await isKnown) return [name, await promise.call(value)];
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      `${name} is not known before \`up\`: give it as a plain value; only values inside it may be outputs of other resources`,
    );
  });
  const present = (await Promise.all(settled)).filter(([, value]) => value !== undefined);
  return { ...inputs, ...Object.fromEntries(present) };
}

/** Runs an operation of the resource that a URN names. The engine's log shows its lines beside that resource. */
function serve<T>(urn: pulumi.URN, act: (served: Served) => Promise<T>): Promise<T> {
  const served = find(resources, nameType(urn));
  const resource = new pulumi.DependencyResource(urn);
  return withLog(
    (line) => void pulumi.log.info(line, resource),
    () => act(served),
  );
}

/**
 * Reads the type from a URN: `knockgate:index:Ruleset` from
 * `urn:pulumi:STACK::PROJECT::PARENT$knockgate:index:Ruleset::NAME`.
 */
function nameType(urn: pulumi.URN): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function find<T>(table: Readonly<Record<string, T>>, token: string): T {
  const name = token.startsWith("knockgate:index:") ? token.slice("knockgate:index:".length) : "";
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (found === undefined) throw new Error(`the plugin knockgate does not know ${token}`);
  return found;
}
