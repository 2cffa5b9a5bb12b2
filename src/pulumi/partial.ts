/** What the engine saves of a resource whose operation failed half way, and why. */
export interface PartialState {
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The state that an error carries for the engine, if it does. */
export function readAttached(error: unknown): PartialState | undefined {
  return error instanceof Error && "properties" in error ? (error as Error & PartialState) : undefined;
}

/**
 * Gives an error the state that the engine is to save with the failed resource, in the form that Pulumi's dynamic
 * provider knows (grpcResponseFromError in its cmd/dynamic-provider, 3.248). It holds secrets, so nobody who prints the
 * error sees it.
 */
export function attachState<T extends Error>(error: T, { id, properties }: PartialState): T {
  const attached = { id, properties, reasons: [error.message] };
  const hidden = Object.entries(attached).map(([name, value]) => [
    name,
    { value, enumerable: false, configurable: true },
  ]);
  return Object.defineProperties(error, Object.fromEntries(hidden));
}
