import { type BenchHost, doorPort } from "./bench-hosts";
import { closeDoor, closeDoorByIptables } from "./rulesets";
import { waitForLine } from "./wait-for-line";

const log = "/tmp/knockd.log";

/** The firewall command with which knockd opens a door. */
const ways = {
  nft: {
    load: ["nft", "-f", "-"],
    closed: closeDoor(
      "set open { type ipv4_addr; flags timeout; timeout 30s; }",
      `tcp dport ${doorPort} ip saddr @open accept`,
    ),
    command: "/usr/sbin/nft add element inet byhand open { %IP% }",
  },
  iptables: {
    load: ["iptables-nft-restore"],
    closed: closeDoorByIptables,
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
  const { load, closed, command } = ways[way];
  await machine.run(load, { stdin: closed });
  const configuration = `[options]
  logfile = ${log}
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

/** How many times a host's knockd has opened the door. */
export async function countKnockdOpenings({ machine }: BenchHost): Promise<number> {
  return Number((await machine.run(["grep", "-c", "OPEN SESAME", log], { check: false })).stdout);
}
