import { runtime } from "@pulumi/pulumi";

type MarkedProperties = Record<string, unknown>;

/** Removes the engine's marks from secrets, at any depth. */
export function openSecrets(properties: MarkedProperties): MarkedProperties {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, open(value)]));
}

function open(value: unknown): unknown {
  if (runtime.isRpcSecret(value)) return open(runtime.unwrapRpcSecret(value));
  if (Array.isArray(value)) return value.map(open);
  return typeof value === "object" && value !== null ? openSecrets(value as MarkedProperties) : value;
}

/** Marks the named properties as secrets for the engine. Leaves out undefined values. */
export function markSecrets(properties: MarkedProperties, names: readonly string[]): MarkedProperties {
  const present = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    present.map(([name, value]) => [name, names.includes(name) ? markSecret(value) : value]),
  );
}

function markSecret(value: unknown): MarkedProperties {
  return { [runtime.specialSigKey]: runtime.specialSecretSig, value };
}
