import type { HostTools } from "../backend.js";
import { checkIptablesVersion } from "../version.js";

/** Returns why a host's iptables can't do what a change needs. A missing iptables is a missing command. */
export function checkIptables({ iptablesVersion }: HostTools): readonly string[] {
  const [, version] = /^iptables v(\d\S*)/.exec(iptablesVersion) ?? [];
  return version === undefined ? [] : checkIptablesVersion(version);
}
