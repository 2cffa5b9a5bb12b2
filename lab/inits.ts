import type { RootfsKind } from "../tools/setup/rootfs-place.mjs";
import type { Socket } from "./wiring";

/** How an init is told about the network and sshd. lab/booted-setup.sh does the rest, by the init's name. */
export interface Init {
  readonly name: "systemd" | "openrc" | "sysvinit" | "runit";
  /** As an administrator writes it: the network comes up in its usual order at each boot. */
  writeNetwork(socket: Socket): string;
  /** A command that succeeds when sshd takes connections. */
  readonly isSshdUp: string;
}

/** The init that a kind of root file system boots with. */
export function initOf(kind: RootfsKind): Init {
  switch (kind) {
    case "openrc":
      return { name: kind, writeNetwork: writeInterfaces, isSshdUp: "rc-service --quiet ssh status" };
    case "sysvinit":
      return { name: kind, writeNetwork: writeInterfaces, isSshdUp: "service ssh status" };
    case "runit":
      return { name: kind, writeNetwork: writeInterfaces, isSshdUp: "ss -Hltnp | grep -q sshd" };
    default:
      return { name: "systemd", writeNetwork: writeNetworkd, isSshdUp };
  }
}

/** By its own service, or by a socket that starts it for each connection. */
const isSshdUp = "systemctl --quiet is-active ssh.service || systemctl --quiet is-active ssh.socket";

/** For systemd-networkd (systemd.network(5)). */
function writeNetworkd({ addresses, gateway }: Socket): string {
  return `[Match]
Name=eth0
[Network]
Gateway=${gateway.ipv4}
Gateway=${gateway.ipv6}
IPv6AcceptRA=no
[Address]
Address=${addresses.ipv4}/24
[Address]
Address=${addresses.ipv6}/64
DuplicateAddressDetection=none
`;
}

/** For ifupdown (interfaces(5)). */
function writeInterfaces({ addresses, gateway }: Socket): string {
  return `auto lo eth0
iface lo inet loopback
iface eth0 inet static
	address ${addresses.ipv4}/24
	gateway ${gateway.ipv4}
iface eth0 inet6 static
	address ${addresses.ipv6}/64
	gateway ${gateway.ipv6}
	dad-attempts 0
`;
}
