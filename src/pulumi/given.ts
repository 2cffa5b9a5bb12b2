/** Lists the fields that are set. A field with the value `undefined` counts as left out. */
export function listGiven(args: object): readonly string[] {
  return Object.entries(args).flatMap(([name, value]) => (value === undefined ? [] : [name]));
}

/** Whether a value is an object, and not an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
