/** How many packets of a gate the kernel has counted since its ruleset was loaded. */
export interface GateCounts {
  /** Packets to its protected ports that were accepted. */
  readonly accepted: number;
  /** Packets to its protected ports that were dropped. */
  readonly dropped: number;
  /** Last steps that opened the door. iptables does not count them. */
  readonly opened?: number;
  /** Packets that put a source back to the start. iptables does not count them. */
  readonly reset?: number;
}

/** Events that every backend counts. */
export type DoorEvent = "accepted" | "dropped";

/** Counts by the gate's name. */
export type Counts = ReadonlyMap<string, GateCounts>;
