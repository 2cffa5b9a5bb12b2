import { changeFaults } from "./change-rows";
import { hostFaults } from "./host-rows";
import { placeFaults } from "./place-rows";
import type { Row } from "./row";
import { toolFaults } from "./tool-rows";
import { vanishings } from "./vanishing-rows";

/** Every fault that was thought of, and what it must come to. */
export const matrix: readonly Row[] = [
  ...vanishings,
  ...hostFaults,
  ...toolFaults,
  ...changeFaults,
  ...placeFaults,
];
