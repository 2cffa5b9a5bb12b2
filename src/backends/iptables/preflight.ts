import type { HostTools } from "../backend.js";
import { checkVersion } from "../version.js";

/** The oldest version that we tried all our rulesets with, and why older ones are refused. */
const oldest = { version: "1.8.4", why: "no older version was tried" } as const;

/** Returns why a host's iptables can't do what a change needs. A missing iptables is a missing command. */
export function checkIptables({ iptablesVersion }: HostTools): readonly string[] {
  const [, version] = /^iptables v(\d\S*)/.exec(iptablesVersion) ?? [];
  return version === undefined
    ? []
    : checkVersion("iptables", version, oldest, "upgrade the package iptables");
}
