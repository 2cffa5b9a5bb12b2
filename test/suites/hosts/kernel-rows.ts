import type { HostRow } from "./row";

function makeRow(kind: "bullseye" | "trixie", on: string, backend: "nftables" | "iptables"): HostRow {
  return {
    id: `${kind}-kernel-${backend}`,
    section: "Other kernels",
    on: `${on}, ${backend}`,
    act: "first change, an update through the gate, a reboot of the whole machine, removal",
  };
}

const old = "Debian 11's own kernel, emulated";
const newer = "Debian 13's own kernel, emulated";

export const kernelRows = {
  "bullseye-kernel": {
    nftables: makeRow("bullseye", old, "nftables"),
    iptables: makeRow("bullseye", old, "iptables"),
  },
  "trixie-kernel": {
    nftables: makeRow("trixie", newer, "nftables"),
    iptables: makeRow("trixie", newer, "iptables"),
  },
} as const;
