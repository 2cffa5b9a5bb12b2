import { backendOf } from "../backends/backends.js";
import { checkKernelVersion } from "../backends/version.js";
import { KnockgateError } from "../errors.js";
import { describeFlusher, describeSudoLog } from "../host/neighbours.js";
import type { Observed } from "../host/observed.js";
import { findGate, isAllowed, isDenied, isLinkLocal } from "../policy/gate.js";
import type { Policy } from "../policy/policy.js";

/**
 * Checks that a host can do all that a change needs. Changes nothing.
 *
 * @throws KnockgateError `HOST_UNFIT` with everything that is missing
 */
export function checkPreflight(observed: Observed): void {
  const reasons = [
    ...backendOf(observed).checkTools(observed),
    ...checkKernelVersion(observed.kernelRelease),
    ...(observed.flushers ?? []).map(describeFlusher),
    ...((observed.sudoLogs ?? []).length > 0 ? [describeSudoLog(observed.sudoLogs ?? [])] : []),
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
