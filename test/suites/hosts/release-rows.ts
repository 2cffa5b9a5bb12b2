import type { Policy } from "../../../src/policy/policy";
import type { RootfsKind } from "../../../tools/setup/rootfs-place.mjs";
import { listRows as listFaults } from "../faults/matrix";
import type { HostRow } from "./row";

/** The Debians that boot, by the root file system of each. */
export const releases = {
  bullseye: "Debian 11",
  systemd: "Debian 12",
  trixie: "Debian 13",
  sid: "Debian sid",
} as const satisfies Partial<Record<RootfsKind, string>>;
export type Release = keyof typeof releases;

export const backends = ["nftables", "iptables"] as const;

/** The acts of a gate's life on a host that boots, in the order in which they are played. */
export const acts = {
  life: "first change, updates through the gate, a failing update, drift and its repair",
  armed: "a power cut while a change is armed",
  reboot: "an update, then a reboot",
  restart: "restart of nftables.service",
  removal: "removal",
} as const;
export type Act = keyof typeof acts;

function listRows(release: Release, backend: Policy["backend"]): readonly HostRow[] {
  return (Object.keys(acts) as Act[]).map((act) => ({
    id: `${release === "systemd" ? "bookworm" : release}-${backend}-${act}`,
    section: "Debian releases",
    on: `${releases[release]}, ${backend}`,
    act: acts[act],
  }));
}

/** The row of one act. */
export function findReleaseRow(release: Release, backend: Policy["backend"], act: Act): HostRow {
  const row = listRows(release, backend).find(({ id }) => id.endsWith(`-${act}`));
  if (row === undefined) throw new Error(`no row for ${act}`);
  return row;
}

/** The matrix of faults, on the oldest Debian and on the newest. */
export const faultRows = {
  bullseye: makeFaultRow("bullseye"),
  sid: makeFaultRow("sid"),
} as const;

function makeFaultRow(release: Release): HostRow {
  return {
    id: `${release}-faults`,
    section: "Debian releases",
    on: releases[release],
    act: `the matrix of [faults](faults.md): ${listFaults(release).length} rows`,
  };
}

export const releaseRows: readonly HostRow[] = [
  ...(Object.keys(releases) as Release[]).flatMap((release) =>
    backends.flatMap((backend) => listRows(release, backend)),
  ),
  ...Object.values(faultRows),
];
