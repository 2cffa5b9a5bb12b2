import type { Policy } from "../policy/policy.js";
import type { Observed } from "./observed.js";

/** Explains why a gate of the backend iptables does not stay on a host with this firewall. */
export function describeFlusher(name: string): string {
  return `${name} empties iptables' tables at each reload, and Knockgate's chains with them, so the gate would be open to everyone from then on: set the backend to "nftables", whose table it does not touch, or turn ${name} off`;
}

/** Describes what on a host may undo a gate later, or show its knock to others. One line each. */
export function describeNeighbours(observed: Observed, policy: Policy): readonly string[] {
  const {
    flushers = [],
    savedIn = [],
    sudoLogs = [],
    confirmed,
    loaded,
    isKernelLogPublic = false,
  } = observed;
  const isThere = confirmed !== undefined || loaded !== undefined;
  return [
    ...(isThere ? flushers.map(describeFlusher) : []),
    ...(isThere ? savedIn.map((file) => describeSaved(file, policy.name)) : []),
    ...(policy.log !== undefined && isKernelLogPublic
      ? [
          `every user of the host can read the kernel's log, and a log line says which port opened a gate: set kernel.dmesg_restrict = 1 in /etc/sysctl.d`,
        ]
      : []),
    ...(isThere && sudoLogs.length > 0 ? [describeSudoLogOfGate(sudoLogs)] : []),
  ];
}

/** Says that sudo would keep a knock, and what keeps it from that. */
export function describeSudoLog(kept: readonly string[]): string {
  const settings = kept.map((what) => `log_${what}`);
  return `sudo keeps the ${kept.join(" and ")} of this user's commands (${settings.join(", ")}), and its I/O log, by default in /var/log/sudo-io, must not get the ruleset with the knock: add \`Defaults:USER ${settings.map((name) => `!${name}`).join(", ")}\` to the host's sudoers`;
}

function describeSudoLogOfGate(kept: readonly string[]): string {
  return `${describeSudoLog(kept)}, delete what the log has already, and change the knock`;
}

/** While the gate is on the host, the ruleset that it loads at boot replaces the copy. */
function describeSaved(file: string, policy: string): string {
  return `${file} has a copy of policy ${policy}'s rules: after the gate is removed or renamed, the next boot loads the copy, with its old knock and the doors that were open. Remove the copy from the file`;
}

/** Says the same of a gate that was just removed. */
export function describeLeftCopy(file: string, policy: string): string {
  return `${file} still has a copy of policy ${policy}'s rules, so the next boot, or a restart of what loads that file, brings back the old gate with its old knock: remove the copy from the file`;
}
