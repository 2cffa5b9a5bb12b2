import type { Policy } from "../policy/policy.js";
import type { CutOff, Prober, RemoteProber, Route } from "../ssh/host.js";
import type { HealthCheck } from "./health.js";
import type { Dialing } from "./reach.js";

/** What a change is to do. */
export interface ChangeRequest {
  /** The policy that the host should have. */
  readonly policy: Policy;
  /**
   * The policies that the host may have, by the state, likeliest first. Their knocks open the way in. Default: none.
   */
  readonly formerPolicies?: readonly Policy[];
  /** Other policies that may gate the host now. Used only to find a knock that gets us in. Default: none. */
  readonly gatedBy?: readonly Policy[];
  /**
   * SHA-256 of the ruleset that the host has confirmed, by the state. Default: that of the likeliest former policy.
   * Secret.
   */
  readonly formerDigest?: string | undefined;
  /** The owner of the policy on the host. A later removal by another owner leaves the policy alone. */
  readonly owner: string;
  /** Whether to change a policy that another owner has confirmed there. Default: false. */
  readonly adopts?: boolean;
  /**
   * What dropped protected ports when the gate was last proven, by `nameObstacle`; `undefined` when that is not known.
   */
  readonly obstacles?: readonly string[] | undefined;
  /** Seconds until the host undoes a change that was not confirmed. */
  readonly undoAfterSeconds: number;
  /** A command that must succeed on the host before the change is confirmed. Default: none. */
  readonly health?: HealthCheck | undefined;
}

/** What a change needs from outside; tests replace it. */
export interface ChangeContext {
  readonly routes: readonly Route[];
  /** The host's addresses that have no route. Default: none. */
  readonly cutOff?: readonly CutOff[];
  /** Where the gates are tried from. Default: the route on which the host was reached. */
  readonly prober?: (Prober & Pick<RemoteProber, "others" | "cutOff">) | undefined;
  readonly dialing: Dialing;
  /** The clock, in milliseconds since 1970. */
  now(): number;
  /** Makes the id of a new change: a-z, 0-9 and -. */
  newId(): string;
  log(line: string): void;
}

/** What the host has confirmed. */
export interface Confirmed {
  /** SHA-256 of the ruleset. Secret. */
  readonly digest: string;
  /** Other rules on the host that drop protected ports, by `nameObstacle`. */
  readonly obstacles: readonly string[];
}
