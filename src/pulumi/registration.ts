import * as pulumi from "@pulumi/pulumi";
import { KnockgateError } from "../errors.js";
import { keepAnswersUnlogged } from "./redact-responses.js";

keepAnswersUnlogged();

/** The package's version in the plugin's process; `undefined` in a Node program. */
let servedVersion: string | undefined;

/**
 * Makes the plugin serve all resources that this process creates from now on. A dynamic provider would start in the
 * project of a program in another language, where this package may not be installed.
 *
 * @param version the package's version: the engine finds the plugin that serves the resources by it
 */
export function registerAsServed(version: string): void {
  servedVersion = version;
}

/** Whether this process is the plugin, which serves programs in any language. */
export function isServed(): boolean {
  return servedVersion !== undefined;
}

/**
 * What Pulumi's dynamic provider runs for a type of resource. The engine stores this text with each resource, twice, and
 * runs it from there for a refresh and a deletion, too. So it only names the installed package. The SDK would make 2 kB
 * of the same (its runtime/closure).
 */
const providerTexts = {
  Ruleset: 'exports.handler=()=>require("knockgate/provider")',
  Wave: 'exports.handler=()=>require("knockgate/provider").wave',
};

/**
 * Registers a resource of this package. In the plugin's process the plugin serves it, elsewhere the dynamic provider.
 *
 * @throws KnockgateError `HOST_UNFIT` when Bun runs the program
 */
export function registerResource(
  type: keyof typeof providerTexts,
  name: string,
  inputs: pulumi.Inputs,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  return withoutTrace(() => {
    if (servedVersion === undefined) {
      refuseBun(process.versions);
      const given = { ...inputs, __provider: providerTexts[type] };
      return new OwnResource(`pulumi-nodejs:dynamic/knockgate:${type}`, name, given, opts);
    }
    return new OwnResource(`knockgate:index:${type}`, name, inputs, { ...opts, version: servedVersion });
  });
}

class OwnResource extends pulumi.CustomResource {}

/**
 * Makes a resource without a record of the calls that led to it. The SDK reads them from an error's stack, and the
 * engine stores them: up to 1 kB that leads only into this package. The component has the line of the program.
 */
function withoutTrace<T>(make: () => T): T {
  const prepare = Error.prepareStackTrace;
  Error.prepareStackTrace = (error) => `${error}`;
  try {
    return make();
  } finally {
    Error.prepareStackTrace = prepare;
  }
}

/** Pulumi has no dynamic resources for programs that Bun runs. */
export function refuseBun(versions: Readonly<Record<string, string | undefined>>): void {
  if (versions["bun"] === undefined) return;
  throw new KnockgateError(
    "HOST_UNFIT",
    "this program is run by Bun, with which Pulumi has no dynamic resources, and a gate is one. No host was contacted. " +
      "Write `runtime: nodejs` in Pulumi.yaml: Bun may still install the packages, but Node must run the program.",
  );
}
