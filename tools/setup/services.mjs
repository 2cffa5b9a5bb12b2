import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { onLeaving } from "./interruption.mjs";

/** Debian's packages run this file before they start a service; 101 means no (invoke-rc.d(8)). */
const policyFile = "/usr/sbin/policy-rc.d";
const policy =
  "#!/bin/sh\n# Temporary, made by knockgate's setup while apt runs; safe to remove.\nexit 101\n";

/**
 * Runs `work`. Meanwhile no package that is being installed may start its service.
 * @param {() => Promise<void>} work
 */
export async function withoutStartingServices(work) {
  const isForeign = existsSync(policyFile) && readFileSync(policyFile, "utf8") !== policy;
  if (isForeign) return work();
  writeFileSync(policyFile, policy, { mode: 0o755 });
  const remove = onLeaving(() => rmSync(policyFile, { force: true }));
  try {
    await work();
  } finally {
    remove();
  }
}
