/** A resource's inputs or state: plain JSON, as the engine sends and stores it. */
export type Properties = Readonly<Record<string, unknown>>;
