/** Reads JSON that a host wrote; `undefined` when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a part of what a host wrote has a field. */
export function hasField(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && key in value;
}

/** Reads a field of a part of what a host wrote; `undefined` where it has none, or is nothing that has fields. */
export function readField(value: unknown, key: string): unknown {
  return hasField(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
