import * as pulumi from "@pulumi/pulumi";
import { fieldSecrecy } from "./secrecy.js";

/** Names that fields of connections and policies have. Any other name may itself be a secret, mistyped. */
export const fieldNames: ReadonlySet<string> = new Set(Object.keys(fieldSecrecy));

/**
 * Makes a secret of an input. The SDK sends nothing of an output in which something is not known yet; so then each
 * known part is a secret of its own, for a preview to tell what is wrong with it.
 */
export function keepSecret(input: pulumi.Input<unknown>): pulumi.Input<unknown> {
  // A secret `undefined` would be something that was given.
  if (input === undefined) return undefined;
  const whole = pulumi.output(input);
  const chosen = isKnown(whole).then((known) => (known ? pulumi.secret(whole) : splitSecret(input)));
  // Who waits for it hears of a failure; nobody may be waiting yet.
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
