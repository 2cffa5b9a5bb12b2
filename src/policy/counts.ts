/** How many packets of a gate the kernel has counted since its ruleset was loaded. */
export interface GateCounts {
  /** Packets to its protected ports that were accepted. */
  readonly accepted: number;
  /** Packets to its protected ports that were dropped. */
  readonly dropped: number;
  /** Last steps, or tokens, that opened the door. iptables does not count them. */
  readonly opened?: number;
  /** Packets that put a source back to the start. iptables does not count them. */
  readonly reset?: number;
  /** The doors that users have opened, by the user's name. Only for a gate that tokens open, and after a refresh. */
  readonly users?: Readonly<Record<string, UserCounts>>;
}

/** The doors of one gate that a user has opened. */
export interface UserCounts {
  /** Doors opened since the ruleset was loaded. */
  readonly opened: number;
  /** The last opening was not before this time: ISO 8601, in UTC. Absent: no opening is known. */
  readonly lastFrom?: string;
  /** The last opening was not after this time. The host compares its counters about once an hour. */
  readonly lastTo?: string;
}

/** Events that every backend counts. */
export type DoorEvent = "accepted" | "dropped";

/** Counts by the gate's name. */
export type Counts = ReadonlyMap<string, GateCounts>;
