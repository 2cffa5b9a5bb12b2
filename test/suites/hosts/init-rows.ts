import type { HostRow } from "./row";

const section = "Without systemd";

/** What is tried with each init, by the end of its row's id. */
const acts = {
  boot: "a reboot and a power cut, while port 22 is asked all the time and the load takes 2 s longer",
  armed: "a power cut while a change is armed",
  undo: "a change that nobody confirms, and a restart of sshd meanwhile",
  removed: "removal, and a reboot after it",
} as const;

export type InitAct = keyof typeof acts;

const initNames = { openrc: "OpenRC", sysvinit: "sysvinit", runit: "runit" } as const;

export type InitKind = keyof typeof initNames;

export function initRow(init: InitKind, act: InitAct): HostRow {
  return { id: `init-${init}-${act}`, section, on: `Debian 12 with ${initNames[init]}`, act: acts[act] };
}

export const openrcFlushRow: HostRow = {
  id: "init-openrc-flush",
  section,
  on: "Debian 12 with OpenRC",
  act: "a boot where a firewall's service flushes all tables, in runlevel boot or default",
};

export const flusherRows = (["sysvinit", "runit"] as const).map(
  (init): HostRow & { readonly init: InitKind } => ({
    init,
    id: `init-${init}-flusher`,
    section,
    on: `Debian 12 with ${initNames[init]}`,
    act: "a change with the backend iptables, where ferm starts at boot",
  }),
);

export const busyboxRows = (["nftables", "iptables"] as const).map(
  (backend): HostRow & { readonly backend: typeof backend } => ({
    backend,
    id: `busybox-${backend}`,
    section,
    on: `busybox for every tool, and dropbear; ${backend}`,
    act: "a gate's whole life, and a change that nobody confirms",
  }),
);

const inits = Object.keys(initNames) as InitKind[];

export const initRows: readonly HostRow[] = [
  ...inits.flatMap((init) => (Object.keys(acts) as InitAct[]).map((act) => initRow(init, act))),
  openrcFlushRow,
  ...flusherRows,
  ...busyboxRows,
];
