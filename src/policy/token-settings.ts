import type { TokenSettings, TokenSettingsInput } from "./policy.js";

/** What holds for tokens where nothing else is said. */
export const tokenDefaults: TokenSettings = { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 };

/** Reads settings whose fields were already checked. */
export function readTokenSettings({
  slotSeconds = tokenDefaults.slotSeconds,
  horizonDays = tokenDefaults.horizonDays,
  graceSeconds = tokenDefaults.graceSeconds,
}: TokenSettingsInput): TokenSettings {
  return { slotSeconds, horizonDays, graceSeconds };
}
