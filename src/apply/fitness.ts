import { KnockgateError } from "../errors.js";
import type { Observed } from "../plan/observed.js";

/** The oldest nft that all we render was tried with (Debian 12). */
const oldestNft = "1.0.6";

/**
 * Checks that a host can do all that a change needs, before anything on it is touched.
 *
 * @throws KnockgateError `HOST_UNFIT` with everything that is missing.
 */
export function checkFitness(observed: Observed): void {
  const reasons = [
    ...(observed.nftVersion === "" ? ["nft is missing: install the package nftables"] : []),
    ...(observed.nftVersion !== "" && isOlder(observed.nftVersion, oldestNft)
      ? [`nft ${observed.nftVersion} is older than ${oldestNft}: upgrade the package nftables`]
      : []),
    ...observed.missing.map(
      (tool) => `the command ${tool} is missing: it comes with util-linux, coreutils or busybox`,
    ),
  ];
  if (reasons.length === 0) return;
  throw new KnockgateError("HOST_UNFIT", reasons.join("; "));
}

function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split(".").map(Number));
  for (const [index, part] of (other ?? []).entries()) {
    const difference = (one?.[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
