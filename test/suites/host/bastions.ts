import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import type { ConnectionInput } from "../../../src/ssh/connection";
import { connectionTo } from "./deployment";

/** The connection's fields for a host of the lab behind a bastion, at which a user logs in who is not root. */
export function connectionThrough(
  lab: Lab,
  bastion: LabHost,
  host: LabHost,
  more: Partial<ConnectionInput["proxy"]> = {},
): ConnectionInput {
  const {
    sudoPassword: _sudo,
    proxy: _proxy,
    transport: _transport,
    ...proxy
  } = connectionTo(lab, bastion, { user: "plain" });
  return connectionTo(lab, host, { proxy: { ...proxy, ...more } });
}

/** Drops all packets to a host that are not from the bastion, and counts them. */
export async function hideBehind(bastion: LabHost, host: LabHost): Promise<void> {
  await host.run(["nft", "-f", "-"], {
    stdin: `
table inet behind {
	counter strangers {}
	chain input {
		type filter hook input priority -300; policy accept;
		iif lo accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, nd-router-solicit } accept
		icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept
		ip saddr ${bastion.ipv4} accept
		ip6 saddr ${bastion.ipv6} accept
		counter name strangers drop
	}
}
`,
  });
}

export async function countStrangers(host: LabHost): Promise<number> {
  const { stdout } = await host.run(["nft", "list", "counter", "inet", "behind", "strangers"]);
  return Number(/packets (\d+)/.exec(stdout)?.[1]);
}

/** Allows all users of a machine to send echo requests (icmp(7)). A new network namespace allows it to nobody. */
export async function allowEcho(machine: LabHost): Promise<void> {
  await machine.run(["sh", "-c", "echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range"]);
}

/** Takes a command out of /usr/bin, for one machine. */
export async function hideCommand(machine: LabHost, command: string): Promise<void> {
  const layers = "/run/hide";
  const overlay = `lowerdir=/usr/bin,upperdir=${layers}/upper,workdir=${layers}/work`;
  await machine.run([
    "sh",
    "-c",
    `mkdir -p ${layers}/upper ${layers}/work && mount -t overlay overlay -o ${overlay} /usr/bin && rm /usr/bin/${command}`,
  ]);
}
