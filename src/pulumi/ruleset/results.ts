// The answers to the engine. Programs import these declarations, so they use plain records, which need no schema.

export interface CreateResult {
  readonly id: string;
  readonly outs: Record<string, unknown>;
}

export type UpdateResult = Pick<CreateResult, "outs">;

export interface ReadResult {
  readonly id: string;
  readonly props?: Record<string, unknown>;
  readonly inputs?: Record<string, unknown>;
}
