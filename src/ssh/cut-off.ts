import { isIPv6 } from "node:net";
import type { CutOff } from "./host.js";

/** Lists the addresses that a machine has no route to. */
export function listCutOff(
  name: string,
  found: readonly { readonly address: string; readonly source: string | undefined }[],
): readonly CutOff[] {
  return found
    .filter(({ source }) => source === undefined)
    .map(({ address }) => {
      const family = isIPv6(address) ? "IPv6" : "IPv4";
      return { address, why: `${name} has no route to it, or no ${family} address to send from` };
    });
}
