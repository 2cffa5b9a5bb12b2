import { unreachable } from "../../errors.js";
import type { HostTools } from "../backend.js";
import { checkVersion } from "../version.js";

/** The oldest version that we tried all our rulesets with, and why older ones are refused. */
const oldest = {
  version: "0.9.3",
  why: "older versions do not have sets that rules fill and empty",
} as const;

/** Returns why a host's nft can't do what a change needs. */
export function checkNft({ nftVersion: version, nftJson, isUnlisted = false }: HostTools): readonly string[] {
  if (version === "") return ["nft is missing: install the package nftables"];
  const old = checkVersion("nft", version, oldest, "upgrade the package nftables");
  return [...old, ...(isUnlisted ? [describeCrash(version)] : checkJson(version, nftJson))];
}

function checkJson(version: string, json: HostTools["nftJson"]): readonly string[] {
  switch (json) {
    case undefined:
      return [];
    case "missing":
      return [
        `nft ${version} was built without JSON, which Knockgate needs to read what is loaded: install an nft that has it, such as Debian's package nftables`,
      ];
    case "fails":
      return [
        `nft ${version} fails to list a table as JSON, which Knockgate needs to read what is loaded (0.9.9 and 1.0.1 crash there): upgrade or downgrade the package nftables`,
      ];
    default:
      return unreachable(json);
  }
}

/** Says that the host's nft crashed, so that nobody knows what is loaded. */
export function describeCrash(nftVersion: string): string {
  return `nft ${nftVersion} crashes when it lists the host's tables, as an old one does over tables that a newer one has loaded, so that nothing is known of what is loaded: upgrade the package nftables, or reboot the host`;
}
