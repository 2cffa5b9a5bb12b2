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
 * Registers a resource of this package. In the plugin's process the plugin serves it, elsewhere the dynamic provider.
 *
 * @throws KnockgateError `HOST_UNFIT` when Bun runs the program
 */
export function registerResource(
  type: string,
  provider: pulumi.dynamic.ResourceProvider,
  name: string,
  inputs: pulumi.Inputs,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  if (servedVersion === undefined) {
    refuseBun(process.versions);
    return new DynamicResource(type, provider, name, inputs, opts);
  }
  return new ServedResource(`knockgate:index:${type}`, name, inputs, {
    ...opts,
    version: servedVersion,
  });
}

/** Pulumi saves a dynamic provider as source text, which it can't get from Bun. Its own message says only that. */
export function refuseBun(versions: Readonly<Record<string, string | undefined>>): void {
  if (versions["bun"] === undefined) return;
  throw new KnockgateError(
    "HOST_UNFIT",
    "this program is run by Bun, with which Pulumi has no dynamic resources, and a gate is one. No host was contacted. " +
      "Write `runtime: nodejs` in Pulumi.yaml: Bun may still install the packages, but Node must run the program.",
  );
}

class ServedResource extends pulumi.CustomResource {}

class DynamicResource extends pulumi.dynamic.Resource {
  constructor(
    type: string,
    provider: pulumi.dynamic.ResourceProvider,
    name: string,
    inputs: pulumi.Inputs,
    opts: pulumi.CustomResourceOptions,
  ) {
    super(provider, name, inputs, opts, "knockgate", type);
  }
}
