import { unreachable } from "../../errors.js";
import type { HostTools } from "../backend.js";
import { checkNftVersion } from "../version.js";

/** Returns why a host's nft can't do what a change needs. */
export function checkNft({ nftVersion: version, nftJson, isUnlisted = false }: HostTools): readonly string[] {
  if (version === "") return ["nft is missing: install the package nftables"];
  const unfit = [...checkNftVersion(version), ...(isUnlisted ? [describeCrash(version)] : [])];
  return unfit.length > 0 ? unfit : checkJson(version, nftJson);
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
        `nft ${version} fails to list a table as JSON, which Knockgate needs to read what is loaded: upgrade or downgrade the package nftables`,
      ];
    default:
      return unreachable(json);
  }
}

/** Says that the host's nft crashed, so that nobody knows what is loaded. */
export function describeCrash(nftVersion: string): string {
  return `nft ${nftVersion} crashes when it lists the host's tables, as an old one does over tables that a newer one has loaded, so that nothing is known of what is loaded: upgrade the package nftables, or reboot the host`;
}
