/** The state that the engine saves for a resource whose operation failed half way. */
export interface PartialState {
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Reads the state that an error carries for the engine; `undefined` when it carries none. */
export function readAttached(error: unknown): PartialState | undefined {
  return error instanceof Error && "properties" in error ? (error as Error & PartialState) : undefined;
}

/**
 * Attaches to an error the state that the engine must save with the failed resource, in the form that Pulumi's dynamic
 * provider reads (grpcResponseFromError in its cmd/dynamic-provider, 3.248). The state holds secrets, so its properties
 * are not enumerable: code that prints the error does not show them.
 */
export function attachState<T extends Error>(error: T, { id, properties }: PartialState): T {
  const attached = { id, properties, reasons: [error.message] };
  const hidden = Object.entries(attached).map(([name, value]) => [
    name,
    { value, enumerable: false, configurable: true },
  ]);
  return Object.defineProperties(error, Object.fromEntries(hidden));
}
