import { once } from "node:events";
import type { LabHost } from "../../../lab/host";
import { letParentEnd } from "../../../lab/parent";

export const publishedPort = 8_080;
export const container = { ipv4: "172.30.0.2", ipv6: "fd30::2" };

/** The container's first process. Its pid tells the host where to put the other end of the link. */
const inside = `
ip link set lo up
echo $$
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
ip address add ${container.ipv4}/24 dev eth0
ip address add ${container.ipv6}/64 dev eth0 nodad
ip link set eth0 up
ip route add default via 172.30.0.1
ip -6 route add default via fd30::1
busybox httpd -p ${publishedPort} -h /var/log
busybox httpd -f -p 80 -h /var/log
`;

/** What a container engine does: a link, forwarding, and a port of the host that leads to port 80 of the container. */
const outside = (pid: number) => `
set -e
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
ip link add engine0 type veth peer name eth0 netns ${pid}
ip address add 172.30.0.1/24 dev engine0
ip address add fd30::1/64 dev engine0 nodad
ip link set engine0 up
publish() {
	$1 -t nat -N ENGINE
	$1 -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j ENGINE
	$1 -t nat -A ENGINE ! -i engine0 -p tcp -m tcp --dport ${publishedPort} -j DNAT --to-destination "$2"
}
publish iptables ${container.ipv4}:80
publish ip6tables [${container.ipv6}]:80
iptables -t nat -A POSTROUTING -s 172.30.0.0/24 ! -o engine0 -j MASQUERADE
`;

/**
 * Starts a container with a web server on port 80. The host publishes that port, and listens on the published port
 * itself.
 */
export async function startContainer(host: LabHost): Promise<void> {
  const child = host.spawn(["unshare", "--net", "sh", "-c", inside]);
  const [first] = await once(child.stdout.setEncoding("utf8"), "data");
  await host.run(["sh", "-c", outside(Number(first))]);
  letParentEnd(child);
}
