import type { Figure } from "./figure";
import { attacksFigure } from "./figures/attacks";
import { change } from "./figures/change";
import { client } from "./figures/client";
import { fleet } from "./figures/fleet";
import { knockToOpen } from "./figures/knock-to-open";
import { packetCost } from "./figures/packet-cost";
import { policyText } from "./figures/policy-text";
import { transports } from "./figures/transports";

/** All figures, in the order of the report. */
export const figures: readonly Figure[] = [
  knockToOpen,
  packetCost,
  attacksFigure,
  change,
  fleet,
  transports,
  client,
  policyText,
];
