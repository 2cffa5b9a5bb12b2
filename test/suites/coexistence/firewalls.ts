import type { LabHost } from "../../../lab/host";

/** A firewall that a host may have: loaded as its owner would, before there is any gate. */
export interface Firewall {
  readonly name: string;
  /** The chains that drop all that they do not accept, as our warning names them. */
  readonly chains: readonly string[];
  /** @param ports TCP ports that it accepts besides SSH's */
  load(host: LabHost, ports: readonly number[]): Promise<void>;
}

const iptablesChains = ["ip filter INPUT", "ip6 filter INPUT"];

export const firewalls: readonly Firewall[] = [
  { name: "an nftables.conf that drops by policy", chains: ["inet filter input"], load: loadNftablesConf },
  { name: "rules of iptables that drop by policy", chains: iptablesChains, load: loadIptables },
  { name: "rules like those of ufw", chains: iptablesChains, load: loadUfw },
  { name: "a table like that of firewalld", chains: ["inet firewalld filter_INPUT"], load: loadFirewalld },
];

export async function loadNftablesConf(host: LabHost, ports: readonly number[]): Promise<void> {
  const stdin = `#!/usr/sbin/nft -f
flush ruleset

table inet filter {
  set blocked { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 198.51.100.7 }; }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    ct state invalid drop
    iif lo accept
    ip saddr @blocked drop
    ip protocol icmp accept
    ip6 nexthdr ipv6-icmp accept
    tcp dport { 22, 443${ports.map((port) => `, ${port}`).join("")} } counter accept comment "services"
    counter comment "dropped"
  }
  chain forward { type filter hook forward priority filter; policy drop; }
  chain output { type filter hook output priority filter; policy accept; }
}
`;
  await host.run(["nft", "-f", "-"], { stdin });
}

export async function loadIptables(host: LabHost, ports: readonly number[]): Promise<void> {
  const rules = (icmp: string) => `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:LOGDROP - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p ${icmp} -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A INPUT -p tcp -m multiport --dports 80,443 -m comment --comment "the web" -j ACCEPT
${ports.map((port) => `-A INPUT -p tcp -m tcp --dport ${port} -j ACCEPT\n`).join("")}-A INPUT -m limit --limit 5/min -j LOGDROP
-A LOGDROP -j LOG --log-prefix "dropped: "
-A LOGDROP -j DROP
COMMIT
`;
  await host.run(["iptables-restore"], { stdin: rules("icmp") });
  await host.run(["ip6tables-restore"], { stdin: rules("ipv6-icmp") });
}

/** The chains and their order are those of ufw 0.36. The rules are a part of ufw's. */
async function loadUfw(host: LabHost, ports: readonly number[]): Promise<void> {
  const rules = (ufw: string, icmp: string, hops: string) => `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:${ufw}-before-logging-input - [0:0]
:${ufw}-before-input - [0:0]
:${ufw}-after-input - [0:0]
:${ufw}-after-logging-input - [0:0]
:${ufw}-reject-input - [0:0]
:${ufw}-track-input - [0:0]
:${ufw}-logging-deny - [0:0]
:${ufw}-not-local - [0:0]
:${ufw}-skip-to-policy-input - [0:0]
:${ufw}-user-input - [0:0]
:${ufw}-user-limit - [0:0]
:${ufw}-user-limit-accept - [0:0]
-A INPUT -j ${ufw}-before-logging-input
-A INPUT -j ${ufw}-before-input
-A INPUT -j ${ufw}-after-input
-A INPUT -j ${ufw}-after-logging-input
-A INPUT -j ${ufw}-reject-input
-A INPUT -j ${ufw}-track-input
-A ${ufw}-before-input -i lo -j ACCEPT
-A ${ufw}-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ${ufw}-before-input -m conntrack --ctstate INVALID -j ${ufw}-logging-deny
-A ${ufw}-before-input -m conntrack --ctstate INVALID -j DROP
-A ${ufw}-before-input -p ${icmp} -j ACCEPT
${hops}-A ${ufw}-before-input -j ${ufw}-not-local
-A ${ufw}-before-input -j ${ufw}-user-input
-A ${ufw}-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ${ufw}-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ${ufw}-not-local -m limit --limit 3/min --limit-burst 10 -j ${ufw}-logging-deny
-A ${ufw}-not-local -j DROP
-A ${ufw}-after-input -p udp -m udp --dport 137 -j ${ufw}-skip-to-policy-input
-A ${ufw}-after-logging-input -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ${ufw}-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ${ufw}-skip-to-policy-input -j DROP
-A ${ufw}-user-input -p tcp -m tcp --dport 22 -j ACCEPT
${ports.map((port) => `-A ${ufw}-user-input -p tcp -m tcp --dport ${port} -j ACCEPT\n`).join("")}-A ${ufw}-user-limit -j REJECT
-A ${ufw}-user-limit-accept -j ACCEPT
COMMIT
`;
  const dhcp = "-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT\n";
  const hops = "-A ufw6-before-input -m rt --rt-type 0 -j DROP\n";
  await host.run(["iptables-restore"], { stdin: rules("ufw", "icmp", dhcp) });
  await host.run(["ip6tables-restore"], { stdin: rules("ufw6", "ipv6-icmp", hops) });
}

/** The chains and their order are those of firewalld 1.3 with the zone public. The rules are a part of firewalld's. */
async function loadFirewalld(host: LabHost, ports: readonly number[]): Promise<void> {
  const stdin = `
table inet firewalld {
  ct helper helper-ftp { type "ftp" protocol tcp; l3proto inet; }
  chain mangle_PREROUTING {
    type filter hook prerouting priority mangle + 10; policy accept;
    jump mangle_PREROUTING_ZONES
  }
  chain mangle_PREROUTING_ZONES { return; }
  chain filter_PREROUTING {
    type filter hook prerouting priority filter + 10; policy accept;
    icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
    meta nfproto ipv6 fib saddr . mark . iif oif missing drop
  }
  chain filter_INPUT {
    type filter hook input priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ct state { invalid } drop
    jump filter_INPUT_ZONES
    reject with icmpx admin-prohibited
  }
  chain filter_INPUT_ZONES { goto filter_IN_public; }
  chain filter_IN_public {
    jump filter_IN_public_pre
    jump filter_IN_public_log
    jump filter_IN_public_deny
    jump filter_IN_public_allow
    jump filter_IN_public_post
    meta l4proto { icmp, ipv6-icmp } accept
    reject with icmpx admin-prohibited
  }
  chain filter_IN_public_pre { }
  chain filter_IN_public_log { }
  chain filter_IN_public_deny { }
  chain filter_IN_public_allow {
    tcp dport 22 accept
    ip6 daddr fe80::/64 udp dport 546 accept
    ${ports.map((port) => `tcp dport ${port} accept`).join("\n    ")}
  }
  chain filter_IN_public_post { }
  chain filter_FORWARD {
    type filter hook forward priority filter + 10; policy accept;
    ct state { established, related } accept
    reject with icmpx admin-prohibited
  }
}
`;
  await host.run(["nft", "-f", "-"], {
    stdin: stdin.replaceAll("return; }", "return\n }").replaceAll("; }", "\n }"),
  });
}
