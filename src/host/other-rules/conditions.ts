import { unreachable } from "../../errors.js";
import type { FirstPacket, Reach } from "./packet-path.js";

/** What one condition of a rule means for packets that would begin a connection. */
export type Condition =
  /** A match on a port. `isAbout` says whether the opening's port fits. */
  | { readonly kind: "port"; readonly isAbout: (first: FirstPacket) => boolean | "maybe" }
  /** The same for all such packets: the rule fits each of them, or none. */
  | { readonly kind: "always" }
  | { readonly kind: "never" }
  | { readonly kind: "rate" | "some" }
  | { readonly kind: "protocol"; readonly isAbout: (protocol: FirstPacket["protocol"]) => boolean };

/** Whether a rule with all these conditions is about such a packet. */
export function combineConditions(
  conditions: readonly Condition[],
): (first: FirstPacket) => { readonly reach: Reach; readonly namesPort: boolean } {
  return (first) => {
    const found = conditions.map((condition) => judge(condition, first));
    const order: readonly Reach[] = ["none", "some", "rate"];
    const reach = order.find((one) => found.includes(one)) ?? "all";
    return { reach, namesPort: conditions.some(({ kind }) => kind === "port") };
  };
}

function judge(condition: Condition, first: FirstPacket): Reach {
  switch (condition.kind) {
    case "always":
      return "all";
    case "never":
      return "none";
    case "rate":
    case "some":
      return condition.kind;
    case "protocol":
      return condition.isAbout(first.protocol) ? "all" : "none";
    case "port": {
      const isAbout = condition.isAbout(first);
      return isAbout === "maybe" ? "some" : isAbout ? "all" : "none";
    }
    default:
      return unreachable(condition);
  }
}

/** Whether a name or a number means this protocol: TCP is 6, UDP is 17. */
export function isProtocol(name: unknown, protocol: FirstPacket["protocol"]): boolean {
  return name === protocol || `${name}` === (protocol === "tcp" ? "6" : "17");
}

/** Whether one of the states is one that a connection's first packet can have (conntrack(8)). */
export function hasNewState(states: readonly unknown[]): boolean {
  return states.some((state) => ["new", "untracked"].includes(`${state}`.toLowerCase()));
}
