import * as pulumi from "@pulumi/pulumi";
import { fieldNames } from "./secrecy.js";

/**
 * Makes an input secret. The SDK sends nothing of an output that has an unknown part. In that case each known part
 * becomes a secret of its own, so that a preview can say what is wrong with it.
 */
export function keepSecret(input: pulumi.Input<unknown>): pulumi.Input<unknown> {
  // A secret `undefined` would count as a given value.
  if (input === undefined) return undefined;
  const whole = pulumi.output(input);
  const chosen = isKnown(whole).then((known) => (known ? pulumi.secret(whole) : splitSecret(input)));
  // Whoever awaits it gets the error. Nobody may await it yet, and an unhandled rejection would end the process.
  chosen.catch(() => undefined);
  return chosen;
}

function isKnown(output: pulumi.Output<unknown>): Promise<boolean> {
  return (output as unknown as { readonly isKnown: Promise<boolean> }).isKnown;
}

async function splitSecret(input: unknown): Promise<unknown> {
  if (pulumi.Output.isInstance(input)) return pulumi.secret(input);
  const value = input instanceof Promise ? await input : input;
  if (value !== input) return splitSecret(value);
  if (Array.isArray(value)) return Promise.all(value.map(splitSecret));
  if (
    typeof value !== "object" ||
    value === null ||
    !Object.keys(value).every((name) => fieldNames.has(name))
  )
    return pulumi.secret(value);
  const fields = Object.entries(value).map(
    async ([name, field]) => [name, await splitSecret(field)] as const,
  );
  return Object.fromEntries(await Promise.all(fields));
}
