import type { RootfsKind } from "../../../tools/setup/rootfs-place.mjs";
import { changeFaults } from "./change-rows";
import { hostFaults } from "./host-rows";
import { placeFaults } from "./place-rows";
import type { Row } from "./row";
import { toolFaults } from "./tool-rows";
import { vanishings } from "./vanishing-rows";

/** All faults, and how each must end. */
export const matrix: readonly Row[] = [
  ...vanishings,
  ...hostFaults,
  ...toolFaults,
  ...changeFaults,
  ...placeFaults,
];

/** Those that can be played on a Debian. */
export function listRows(debian?: RootfsKind): readonly Row[] {
  return matrix.filter(({ noFaultOn = [] }) => debian === undefined || !noFaultOn.includes(debian));
}
