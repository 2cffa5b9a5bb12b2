/** When a host was changed last, or was to be. */
export interface LastChange {
  /** ISO 8601, in UTC. */
  readonly at: string;
  readonly seconds: number;
}
