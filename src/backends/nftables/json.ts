/** Reads JSON from a host. Returns `undefined` when the text is not valid JSON. */
export function parseHostJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value from a host's JSON is an object with this field. */
export function hasField(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && key in value;
}

/**
 * Reads a field of a value from a host's JSON. Returns `undefined` when the value is not an object or lacks the field.
 */
export function readField(value: unknown, key: string): unknown {
  return hasField(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
