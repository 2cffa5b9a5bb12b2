/** When a host was last changed, or a change of it last failed, and how long that took. */
export interface LastChange {
  /** ISO 8601, in UTC. */
  readonly at: string;
  readonly seconds: number;
}
