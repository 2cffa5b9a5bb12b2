import type { BenchHost } from "./bench-hosts";
import { doorPort } from "./bench-hosts";
import { waitForLine } from "./wait-for-line";

/** The firewall command with which knockd opens a door. */
const ways = {
  nft: {
    closed: [
      "nft",
      "-f",
      "-",
      `table inet byhand {
        set open { type ipv4_addr; flags timeout; timeout 30s; }
        chain input {
          type filter hook input priority filter; policy accept;
          iif "lo" accept
          ct state established,related accept
          tcp dport ${doorPort} ip saddr @open accept
          tcp dport ${doorPort} drop
        }
      }\n`,
    ],
    command: "/usr/sbin/nft add element inet byhand open { %IP% }",
  },
  iptables: {
    closed: [
      "iptables-nft-restore",
      `*filter
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp --dport ${doorPort} -j DROP
COMMIT\n`,
    ],
    command: `/usr/sbin/iptables-nft -I INPUT -s %IP% -p tcp --dport ${doorPort} -j ACCEPT`,
  },
} as const;

/**
 * Closes a host's door and lets knockd open it, by nft or iptables, for sources that send SYNs to these ports in order.
 */
export async function startKnockd(
  { machine }: BenchHost,
  way: keyof typeof ways,
  steps: readonly number[],
): Promise<void> {
  const { closed, command } = ways[way];
  await machine.run(closed.slice(0, -1), { stdin: closed.at(-1) ?? "" });
  const configuration = `[options]
  logfile = /tmp/knockd.log
[open]
  sequence = ${steps.join(",")}
  seq_timeout = 5
  tcpflags = syn
  command = ${command}\n`;
  await machine.run(["sh", "-c", "cat >/tmp/knockd.conf"], { stdin: configuration });
  const knockd = machine.spawn([
    "knockd",
    "-v",
    "-i",
    "direct",
    "-c",
    "/tmp/knockd.conf",
    "-p",
    "/tmp/knockd.pid",
  ]);
  await waitForLine(knockd, /listening on direct/);
}
