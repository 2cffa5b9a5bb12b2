import * as pulumi from "@pulumi/pulumi";
import { keepAnswersUnlogged } from "./unlogged.js";

keepAnswersUnlogged();

/** The package's version where its plugin serves its resources; none in a Node program. */
let servedVersion: string | undefined;

/**
 * From now on the resources made in this process are the plugin's own: a dynamic provider would be started in the
 * project of a program in another language, where this package need not be.
 *
 * @param version of the package, by which the engine finds the plugin that has to serve them
 */
export function registerAsServed(version: string): void {
  servedVersion = version;
}

/** Whether this process is the plugin's, which serves programs in any language. */
export function isServed(): boolean {
  return servedVersion !== undefined;
}

/** Registers a resource of this package, served by the dynamic provider or, where there is one, by the plugin. */
export function registerResource(
  type: string,
  provider: pulumi.dynamic.ResourceProvider,
  name: string,
  inputs: pulumi.Inputs,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  if (servedVersion === undefined) return new DynamicResource(type, provider, name, inputs, opts);
  return new ServedResource(`knockgate:index:${type}`, name, inputs, {
    ...opts,
    version: servedVersion,
  });
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
