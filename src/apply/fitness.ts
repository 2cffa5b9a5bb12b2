import { KnockgateError, unreachable } from "../errors.js";
import { describeCrash } from "../plan/describe-drift.js";
import { describeFlusher } from "../plan/neighbours.js";
import type { Observed } from "../plan/observed.js";
import { findGate, isAllowed, isDenied, isLinkLocal } from "../policy/gate.js";
import type { Policy } from "../policy/policy.js";

/** The oldest versions that we tried all our rulesets with, and why older ones are refused. */
const floors = {
  nft: { version: "0.9.3", why: "older versions do not have sets that rules fill and empty" },
  iptables: { version: "1.8.4", why: "no older version was tried" },
} as const;

/**
 * Checks that a host can do all that a change needs. Changes nothing.
 *
 * @throws KnockgateError `HOST_UNFIT` with everything that is missing
 */
export function checkFitness(observed: Observed): void {
  const reasons = [
    ...(observed.backend === "nftables" ? checkNft(observed) : checkIptables(observed)),
    ...(observed.flushers ?? []).map(describeFlusher),
    ...observed.missing.map(
      (tool) => `the command ${tool} is missing: it comes with util-linux, coreutils, iptables or busybox`,
    ),
    ...observed.unwritable.map((place) => `${place} can't be written: is it mounted read-only?`),
  ];
  if (reasons.length === 0) return;
  throw new KnockgateError("HOST_UNFIT", reasons.join("; "));
}

/**
 * Checks that the deployer can still reach the host under a policy.
 *
 * @throws KnockgateError `LOCKOUT`
 */
export function checkLockout({ clientAddress }: Observed, policy: Policy, way: WayBack): void {
  if (isDenied(policy, clientAddress)) {
    throw new KnockgateError(
      "LOCKOUT",
      "this machine's address is in denyFrom, so the gate would stay closed to it: remove it from denyFrom",
    );
  }
  if (isAllowed(policy, clientAddress) || !isLinkLocal(clientAddress)) return;
  if (way.isProvenElsewhere && findGate(policy, way.sshPort) === undefined) return;
  throw new KnockgateError(
    "LOCKOUT",
    `for the host, this connection comes from the link-local address ${clientAddress}. No door opens for such an address, because another link of the host may have the same one: connect to another address of the host, or put this one into allowFrom`,
  );
}

/** How the deployer reaches the host later. */
export interface WayBack {
  readonly sshPort: number;
  /** Whether the gates are tried from another machine. */
  readonly isProvenElsewhere: boolean;
}

function checkNft({ nftVersion: version, nftJson, isUnlisted = false }: Observed): readonly string[] {
  if (version === "") return ["nft is missing: install the package nftables"];
  const old = checkFloor("nft", version, "upgrade the package nftables");
  return [...old, ...(isUnlisted ? [describeCrash(version)] : checkJson(version, nftJson))];
}

function checkJson(version: string, json: Observed["nftJson"]): readonly string[] {
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

function checkIptables({ iptablesVersion }: Observed): readonly string[] {
  const [, version] = /^iptables v(\d\S*)/.exec(iptablesVersion) ?? [];
  return version === undefined ? [] : checkFloor("iptables", version, "upgrade the package iptables");
}

function checkFloor(tool: keyof typeof floors, version: string, remedy: string): readonly string[] {
  const { version: oldest, why } = floors[tool];
  return isOlder(version, oldest)
    ? [`${tool} ${version} is older than ${oldest}, and ${why}: ${remedy}`]
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
