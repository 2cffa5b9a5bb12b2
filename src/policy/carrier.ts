import { unreachable } from "../errors.js";
import type { Protocol } from "./port.js";

/** What carries a token, as users write it: exactly one of the fields. */
export interface CarrierInput {
  /** A datagram to this port. */
  readonly udp?: number | undefined;
  /** `true`: an ICMP or ICMPv6 echo request. */
  readonly icmpEcho?: boolean | undefined;
}

/** What carries a token: a UDP datagram to a port, or an ICMP or ICMPv6 echo request. Only this file reads it. */
export type Carrier = { readonly kind: "udp"; readonly port: number } | { readonly kind: "icmpEcho" };

/** For each kind of carrier: the field of a {@link CarrierInput} that makes it this kind. */
export const carrierFields = {
  udp: "udp",
  icmpEcho: "icmpEcho",
} as const satisfies Readonly<Record<Carrier["kind"], keyof CarrierInput>>;

/** Reads a carrier whose fields were already checked. */
export function readCarrier({ udp }: CarrierInput): Carrier {
  return udp === undefined ? { kind: "icmpEcho" } : { kind: "udp", port: udp };
}

/** Writes a carrier in the shape that users write. */
export function writeCarrier(carrier: Carrier): CarrierInput {
  switch (carrier.kind) {
    case "udp":
      return { udp: carrier.port };
    case "icmpEcho":
      return { icmpEcho: true };
    default:
      return unreachable(carrier);
  }
}

/** Whether one packet could bring a token by either carrier. */
export function sameCarrier(one: Carrier, other: Carrier): boolean {
  switch (one.kind) {
    case "udp":
      return other.kind === "udp" && one.port === other.port;
    case "icmpEcho":
      return other.kind === "icmpEcho";
    default:
      return unreachable(one);
  }
}

/** The port that a carrier's packet goes to. `undefined`: it has none. */
export function carrierPort(
  carrier: Carrier,
): { readonly protocol: Protocol; readonly port: number } | undefined {
  switch (carrier.kind) {
    case "udp":
      return { protocol: "udp", port: carrier.port };
    case "icmpEcho":
      return undefined;
    default:
      return unreachable(carrier);
  }
}
