import type { HostTools } from "../backend.js";
import { checkIptablesVersion, checkKernelVersion } from "../version.js";

/** Returns why a host's iptables can't do what a change needs. A missing iptables is a missing command. */
export function checkIptables({ iptablesVersion, kernelRelease }: HostTools): readonly string[] {
  const [, version] = /^iptables v(\d\S*)/.exec(iptablesVersion) ?? [];
  const old = version === undefined ? [] : checkIptablesVersion(version);
  return [...old, ...checkKernelVersion(kernelRelease)];
}
