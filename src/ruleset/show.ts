import type { SecretFormatter } from "./ruleset.js";

/** Shows the host a step's secret as it is. */
export const revealSecrets: SecretFormatter = (_step, _field, value) => `${value}`;
