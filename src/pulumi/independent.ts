import * as pulumi from "@pulumi/pulumi";

/** The SDK's constructor of outputs, which its types leave out. */
type MakeOutput = new (
  resources: readonly pulumi.Resource[],
  value: Promise<unknown>,
  isKnown: Promise<boolean>,
  isSecret: Promise<boolean>,
  allResources: Promise<readonly pulumi.Resource[]>,
) => pulumi.Output<never>;

/** Fields of the SDK's outputs that its types leave out. */
export interface Settling {
  readonly isKnown: Promise<boolean>;
  readonly isSecret: Promise<boolean>;
  promise(): Promise<unknown>;
}

/**
 * Makes an output of the same value that does not depend on resources, for a property of a resource that depends on
 * them anyway: the engine would store them again with the property.
 */
export function forgetResources<T>(output: pulumi.Output<T>): pulumi.Output<T> {
  const { isKnown, isSecret } = output as unknown as Settling;
  const value = (output as unknown as Settling).promise();
  const Output = pulumi.Output as unknown as MakeOutput;
  return new Output([], value, isKnown, isSecret, Promise.resolve([]));
}
