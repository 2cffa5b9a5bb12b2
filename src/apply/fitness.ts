import { KnockgateError } from "../errors.js";
import type { Observed } from "../plan/observed.js";
import { findGate, isAllowed, isDenied, isLinkLocal } from "../policy/gate.js";
import type { Policy } from "../policy/schema.js";

/** The oldest nft that all we render was tried with (Debian 12). */
const oldestNft = "1.0.6";

/**
 * Checks that a host can do all that a change needs, before anything on it is touched.
 *
 * @throws KnockgateError `HOST_UNFIT` with everything that is missing.
 */
export function checkFitness(observed: Observed): void {
  const reasons = [
    ...(observed.backend === "nftables" ? checkNft(observed.nftVersion) : []),
    ...observed.missing.map(
      (tool) => `the command ${tool} is missing: it comes with util-linux, coreutils, iptables or busybox`,
    ),
    ...observed.unwritable.map((place) => `${place} can't be written: is it mounted read-only?`),
  ];
  if (reasons.length === 0) return;
  throw new KnockgateError("HOST_UNFIT", reasons.join("; "));
}

/**
 * Checks that a policy leaves the deployer a way in at all.
 *
 * @throws KnockgateError `LOCKOUT`
 */
export function checkLockout({ clientAddress }: Observed, policy: Policy, way: WayBack): void {
  if (isDenied(policy, clientAddress)) {
    throw new KnockgateError(
      "LOCKOUT",
      "this machine's address is in denyFrom, so the gate would be closed to it for good: take it out of denyFrom",
    );
  }
  if (isAllowed(policy, clientAddress) || !isLinkLocal(clientAddress)) return;
  if (way.isProvenElsewhere && findGate(policy, way.sshPort) === undefined) return;
  throw new KnockgateError(
    "LOCKOUT",
    `the host sees this connection come from the link-local address ${clientAddress}, and no door opens for such an address, because another link of the host may have the same: connect to the host by another address, or put this one into allowFrom`,
  );
}

/** How the deployer goes on to reach the host. */
export interface WayBack {
  readonly sshPort: number;
  /** Whether doors are tried from another machine. */
  readonly isProvenElsewhere: boolean;
}

function checkNft(version: string): readonly string[] {
  if (version === "") return ["nft is missing: install the package nftables"];
  return isOlder(version, oldestNft)
    ? [`nft ${version} is older than ${oldestNft}: upgrade the package nftables`]
    : [];
}

function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split(".").map(Number));
  for (const [index, part] of (other ?? []).entries()) {
    const difference = (one?.[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
