/** The names of what was given: to set a field to `undefined` is to leave it out. */
export function listGiven(args: object): readonly string[] {
  return Object.entries(args).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

/** Whether a value has fields. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
