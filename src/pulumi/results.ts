// What an engine is answered. Any properties: these stand in declarations that programs import, which need no schema.

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
