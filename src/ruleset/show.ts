import type { ShowSecret } from "./ruleset.js";

/** Shows the host a step's secret as it is. */
export const showValue: ShowSecret = (_step, _field, value) => `${value}`;
