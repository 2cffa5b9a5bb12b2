import { askBy, type Engine, freePort, gatedPort, makeImage, runScript, writeFile } from "./engine";

/** A name that only dnsmasq tells. */
const told = { name: "name.test", address: "192.0.2.53" };

/** Stands in for a guest: a namespace behind the bridge, which asks dnsmasq for its address. */
const guestScript = `#!/bin/sh -eu
ip netns list | grep -q guest || ip netns add guest
[ -e /sys/class/net/guest0 ] || {
	ip link add guest0 type veth peer name eth0 netns guest
	ip -n guest link set lo up
	ip -n guest link set eth0 up
}
ip link set guest0 up
until [ -e /sys/class/net/virbr0 ]; do sleep 0.2; done
[ -e /sys/class/net/guest0/master ] || ip link set guest0 master virbr0
for pid in $(ip netns pids guest); do kill "$pid" || true; done # an earlier dhclient
ip -n guest address flush dev eth0 scope global
ip netns exec guest dhclient -1 -q -sf /usr/local/sbin/take-lease -lf /run/guest.lease -pf /run/guest.pid eth0
ip netns exec guest busybox nslookup ${told.name} 192.168.122.1 | grep -q ${told.address}
`;

/** As dhclient-script(8), without a resolv.conf. */
const leaseScript = `#!/bin/sh -eu
case $reason in
PREINIT) ip link set "$interface" up ;;
BOUND | REBOOT | RENEW)
	ip address replace "$new_ip_address/24" dev "$interface"
	ip route replace default via "$new_routers"
	;;
esac
`;

/** Both pages are the host's own. The guest only goes out. */
function makePageService(port: number): string {
  return `[Service]
ExecStart=/bin/busybox httpd -f -p ${port} -h /srv/image/www
[Install]
WantedBy=multi-user.target
`;
}

const virsh = "virsh --quiet --connect network:///system";

export const libvirt: Engine = {
  id: "libvirt",
  on: "libvirt's default network",
  name: "libvirt",
  scope: "input",
  backends: ["nftables", "iptables"],
  families: ["ipv4", "ipv6"],
  prepare: async (host) => {
    await makeImage(host);
    await writeFile(host, "/usr/local/sbin/take-lease", leaseScript);
    await writeFile(host, "/usr/local/sbin/plug-guest", guestScript);
    for (const port of [gatedPort, freePort]) {
      await writeFile(host, `/etc/systemd/system/page-${port}.service`, makePageService(port));
    }
    await runScript(
      host,
      `chmod 0755 /usr/local/sbin/take-lease /usr/local/sbin/plug-guest
echo '${told.address} ${told.name}' >>/etc/hosts
systemctl --quiet enable --now page-${gatedPort}.service page-${freePort}.service
`,
    );
  },
  start: (host) =>
    runScript(
      host,
      `systemctl --quiet enable --now libvirtd.service
${virsh} net-autostart default
${virsh} net-start default
`,
    ),
  stop: (host) =>
    runScript(
      host,
      `${virsh} net-destroy default
${virsh} net-autostart default --disable
systemctl --quiet disable --now libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket
`,
    ),
  acts: [
    {
      id: "reload",
      act: "reload of libvirtd.service",
      play: (host) => runScript(host, "systemctl start libvirtd.service; systemctl reload libvirtd.service"),
    },
    {
      id: "restart",
      act: "restart of libvirtd.service",
      play: (host) => runScript(host, "systemctl restart libvirtd.service"),
    },
    {
      id: "network",
      act: "stop and start of the network",
      play: (host) => runScript(host, `${virsh} net-destroy default; ${virsh} net-start default`),
    },
  ],
  askFromInside: (host, address, port) =>
    runScript(host, `plug-guest\nip netns exec guest sh -c "${askBy(address, port)}"`),
  version: ["libvirtd", "--version"],
  // libvirt puts its jump first when it makes its chains. It leaves a jump that is there where it is.
  drift: (backend, act) => {
    if (backend === "nftables" || !["reboot-before", "start", "reboot-after"].includes(act)) return [];
    return ["IPv4", "IPv6"].map(
      (family) => `preceding rule: ${family} packets meet this rule before the gate: -A INPUT -j LIBVIRT_INP`,
    );
  },
};
