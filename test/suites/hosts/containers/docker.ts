import type { Policy } from "../../../../src/policy/policy";
import { askBy, type Engine, makeImage, publish, runScript, serve, writeFile } from "./engine";

interface Variant {
  readonly iptables: "nft" | "legacy";
  readonly userlandProxy: boolean;
  readonly backends: readonly Policy["backend"][];
}

/**
 * With the proxy, a process of Docker listens on the published ports, and it alone serves IPv6. Without it, rules of
 * ip6tables-nft lead to the container. Debian 12's ip6tables-legacy says of any rule with DNAT that it exists if there
 * is one, so Docker publishes only its first port over IPv6; it is left to IPv4.
 */
function makeDocker({ iptables, userlandProxy, backends }: Variant): Engine {
  const proxy = userlandProxy ? "on" : "off";
  const ipv6 = { ipv6: true, "fixed-cidr-v6": "fd55::/64", experimental: true, ip6tables: true };
  const settings = {
    // The lab's disk is an overlay, on which there can't be another one.
    "storage-driver": "vfs",
    "userland-proxy": userlandProxy,
    ...(userlandProxy || iptables === "legacy" ? {} : ipv6),
  };
  const isWithout = iptables === "legacy" && !userlandProxy;
  const units = "docker.service docker.socket containerd.service";
  return {
    id: `docker-${iptables}-proxy-${proxy}`,
    on: `Docker (iptables-${iptables}, userland-proxy ${proxy})`,
    name: "Docker",
    scope: "prerouting",
    families: isWithout ? ["ipv4"] : ["ipv4", "ipv6"],
    backends,
    prepare: async (host) => {
      await makeImage(host);
      await writeFile(host, "/etc/docker/daemon.json", JSON.stringify(settings));
      for (const tool of ["iptables", "ip6tables"]) {
        await host.run(["update-alternatives", "--set", tool, `/usr/sbin/${tool}-${iptables}`]);
      }
    },
    start: (host) =>
      runScript(
        host,
        `systemctl --quiet enable ${units}
systemctl start docker.service
tar -C /srv/image -c . | docker import - page
docker run --detach --restart always --name page ${publish} page ${serve}
`,
      ),
    stop: (host) =>
      runScript(
        host,
        `docker rm --force page
systemctl --quiet disable ${units}
systemctl stop ${units}
`,
      ),
    acts: [
      {
        id: "reload",
        act: "reload of docker.service",
        play: (host) => runScript(host, "systemctl reload docker.service"),
      },
      {
        id: "restart",
        act: "restart of docker.service",
        play: (host) => runScript(host, "systemctl restart docker.service"),
      },
      {
        id: "kill",
        act: "dockerd killed, and started again by systemd",
        play: (host) =>
          runScript(
            host,
            `before=$(systemctl show --property MainPID --value docker.service)
systemctl kill --signal KILL --kill-who main docker.service
until systemctl --quiet is-active docker.service &&
	[ "$(systemctl show --property MainPID --value docker.service)" != "$before" ]; do sleep 0.1; done
`,
          ),
      },
      {
        id: "container",
        act: "stop and start of the container",
        play: (host) => runScript(host, "docker stop --time 1 page; docker start page"),
      },
    ],
    askFromInside: (host, address, port) =>
      runScript(host, `docker exec page /bin/sh -c "${askBy(address, port)}"`),
    version: ["docker", "--version"],
  };
}

export const dockers: readonly Engine[] = [
  makeDocker({ iptables: "nft", userlandProxy: false, backends: ["nftables", "iptables"] }),
  makeDocker({ iptables: "nft", userlandProxy: true, backends: ["nftables"] }),
  makeDocker({ iptables: "legacy", userlandProxy: false, backends: ["nftables", "iptables"] }),
  makeDocker({ iptables: "legacy", userlandProxy: true, backends: ["nftables"] }),
];
