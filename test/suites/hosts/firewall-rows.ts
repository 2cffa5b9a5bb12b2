import type { HostRow } from "./row";

type Backend = "nftables" | "iptables";
type Acts = Readonly<Record<string, string>>;

interface Neighbour {
  readonly name: string;
  /** What is done beside a gate of either backend. */
  readonly both?: Acts;
  readonly nftables?: Acts;
  readonly iptables?: Acts;
}

const ufw: Neighbour = {
  name: "ufw",
  both: {
    reload: "ufw reload",
    restart: "systemctl restart ufw",
    again: "ufw disable, then ufw enable",
    "reboot-before": "reboot, ufw enabled before the gate",
    start: "ufw enabled after the gate",
    "reboot-after": "reboot, ufw enabled after the gate",
  },
};

const firewalld: Neighbour = {
  name: "firewalld",
  nftables: {
    reload: "firewall-cmd --reload",
    "complete-reload": "firewall-cmd --complete-reload",
    restart: "systemctl restart firewalld",
    panic: "firewall-cmd --panic-on, then --panic-off",
    "reboot-before": "reboot, firewalld enabled before the gate",
    start: "firewalld started after the gate",
    "reboot-after": "reboot, firewalld enabled after the gate",
    "instead-of-nftables": "firewalld started, which stops nftables.service",
    "reboot-with-nftables": "reboot, nftables.service enabled, too",
  },
  iptables: {
    first: "first change",
    start: "firewalld started after the gate",
    next: "next change",
  },
};

const fail2ban: Neighbour = {
  name: "fail2ban",
  both: {
    start: "fail2ban started after the gate",
    ban: "ban of a source",
    unban: "unban",
    restart: "systemctl restart fail2ban, with a ban",
    change: "next change, with a ban",
    reboot: "reboot, with a ban",
  },
};

const persistent: Neighbour = {
  name: "netfilter-persistent",
  both: {
    start: "netfilter-persistent started after the gate",
    restart: "systemctl restart netfilter-persistent",
    reload: "netfilter-persistent reload",
    save: "netfilter-persistent save, then restart",
    reboot: "reboot",
  },
};

const service: Neighbour = {
  name: "nftables.service",
  both: {
    start: "nftables.service started after the gate",
    restart: "systemctl restart nftables",
    reload: "systemctl reload nftables",
    reboot: "reboot",
  },
};

const wireguard: Neighbour = {
  name: "WireGuard",
  both: {
    "front-first": "first change through the tunnel",
    "front-restart": "restart of wg-quick@wg0, SSH gated in the tunnel",
    "front-reboot": "reboot, SSH gated in the tunnel",
    "behind-first": "the tunnel's own UDP port behind a gate",
    "behind-restart": "restart of wg-quick@wg0 behind a gate",
    "behind-reboot": "reboot with the tunnel behind a gate",
  },
};

/** The rows about other firewalls, and about a tunnel. */
export const firewallRows: readonly HostRow[] = [
  ufw,
  firewalld,
  fail2ban,
  persistent,
  service,
  wireguard,
].flatMap((neighbour) => [...listRows(neighbour, "nftables"), ...listRows(neighbour, "iptables")]);

function listRows(neighbour: Neighbour, backend: Backend): readonly HostRow[] {
  return Object.entries({ ...neighbour.both, ...neighbour[backend] }).map(([act, words]) => ({
    id: nameRow(neighbour.name, backend, act),
    section: "Other firewalls and container engines",
    on: `Debian 12 with ${neighbour.name}, ${backend}`,
    act: words,
  }));
}

function nameRow(neighbour: string, backend: Backend, act: string): string {
  return `beside-${neighbour.toLowerCase().replace(".", "-")}-${backend}-${act}`;
}

/** Finds the row of an act. */
export function findRow(neighbour: string, backend: Backend, act: string): HostRow {
  const id = nameRow(neighbour, backend, act);
  const row = firewallRows.find((one) => one.id === id);
  if (row === undefined) throw new Error(`no row ${id}`);
  return row;
}
