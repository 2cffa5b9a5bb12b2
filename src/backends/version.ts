/** The oldest versions that a host may have, and why older ones are refused. Nothing else compares versions. */
const oldest = {
  nft: { version: "0.9.3", why: "older versions do not have sets that rules fill and empty" },
  iptables: { version: "1.8.4", why: "no older version was tried" },
  "its kernel": {
    version: "5.4",
    why: "older kernels can't take a source out of a set of nftables by a rule, and none was tried with iptables",
  },
} as const;

/** Versions that are new enough and refused all the same. A host's tool is asked for the fault as well. */
const broken = {
  nft: { versions: ["0.9.9", "1.0.1"], why: "crashes when it lists a table as JSON" },
} as const;

/** Returns why a host's nft is too old or broken: a list of one reason, or none. */
export function checkNftVersion(version: string): readonly string[] {
  const remedy = "upgrade the package nftables";
  if (broken.nft.versions.some((each) => each === version)) {
    return [
      `nft ${version} ${broken.nft.why}, which Knockgate needs to read what is loaded: ${remedy}, or downgrade it`,
    ];
  }
  return checkOldest("nft", version, remedy);
}

/** The same for iptables. */
export function checkIptablesVersion(version: string): readonly string[] {
  return checkOldest("iptables", version, "upgrade the package iptables");
}

/**
 * The same for the host's kernel.
 *
 * @param release what `uname -r` says; empty when the host did not say it
 */
export function checkKernelVersion(release: string): readonly string[] {
  const [, version] = /^(\d+\.\d+(?:\.\d+)?)/.exec(release) ?? [];
  // Red Hat keeps the number 4.18 and brings newer parts into it, so the number says nothing. The ruleset is tried on
  // the kernel before anything is changed.
  if (version === undefined || /\.el\d/.test(release)) return [];
  return checkOldest("its kernel", version, "upgrade the kernel");
}

/** `version`: numbers with points between. */
function checkOldest(tool: keyof typeof oldest, version: string, remedy: string): readonly string[] {
  const { version: floor, why } = oldest[tool];
  return isOlder(version, floor) ? [`${tool} ${version} is older than ${floor}, and ${why}: ${remedy}`] : [];
}

function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split(".").map(Number));
  for (const [index, part] of (other ?? []).entries()) {
    const difference = (one?.[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
