import * as pulumi from "@pulumi/pulumi";
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
 */
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
