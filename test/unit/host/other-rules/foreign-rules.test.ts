import { describe, expect, test } from "vitest";
import { findObstacles, type Obstacle } from "../../../../src/host/other-rules/obstacles";
import { readPolicy } from "../../policy/read-policy";

const steps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const gate = (scope: "input" | "prerouting") =>
  readPolicy({ name: "edge", scope, gates: [{ name: "web", protect: [{ tcp: "8443" }], knock: { steps } }] });
const policy = gate("input");
const published = gate("prerouting");

/** The table filter of a host with ufw as iptables-save writes it, without the rules about ICMP and logs. */
const ufw = (...rules: readonly string[]) => `# ipv4
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -j ufw-before-input
-A INPUT -j ufw-after-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny
-A ufw-not-local -j DROP
${rules.map((rule) => `-A ufw-user-input ${rule}\n`).join("")}COMMIT
# ipv6
`;

const one = (why: Obstacle["why"], chain: string): readonly Obstacle[] => [
  { chain, protocol: "tcp", port: 8_443, why },
];

describe("a chain of iptables that drops by its policy is", () => {
  const blocks = one("policy", "ip filter INPUT");
  const may = one("may", "ip filter INPUT");
  test.each<readonly [string, readonly string[], readonly Obstacle[]]>([
    ["an obstacle", [], blocks],
    ["none where a rule accepts the port", ["-p tcp -m tcp --dport 8443 -j ACCEPT"], []],
    ["none where a list of ports has it", ["-p tcp -m multiport --dports 8443,8444 -j ACCEPT"], []],
    ["none where a range in a list has it", ["-p tcp -m multiport --dports 22,8400:8500 -j ACCEPT"], []],
    ["none where a range has it", ["-p tcp -m tcp --dport 8000:9000 -j ACCEPT"], []],
    ["one where the list is UDP's", ["-p udp -m multiport --dports 8443,8444 -j ACCEPT"], blocks],
    ["one where the list ends before it", ["-p tcp -m multiport --dports 22,8000:8442 -j ACCEPT"], blocks],
    ["one where the list is of all other ports", ["-p tcp -m multiport ! --dports 8443 -j ACCEPT"], blocks],
    [
      "none with a state and a comment",
      ['-p tcp -m tcp --dport 8443 -m state --state NEW -m comment --comment "a -j DROP" -j ACCEPT'],
      [],
    ],
    ["none where all of TCP is let in", ["-p tcp -j ACCEPT"], []],
    [
      "maybe one where some sources are let in",
      ["-s 192.0.2.0/24 -p tcp -m tcp --dport 8443 -j ACCEPT"],
      may,
    ],
    [
      "maybe one where a set is let in",
      ["-p tcp -m multiport --dports 8443 -m set --match-set office src -j ACCEPT"],
      may,
    ],
    [
      "one where some sources are let in to another port",
      ["-s 192.0.2.0/24 -p tcp -m tcp --dport 443 -j ACCEPT"],
      blocks,
    ],
    [
      "one where some sources are refused",
      ["-s 192.0.2.0/24 -j REJECT --reject-with icmp-port-unreachable"],
      blocks,
    ],
    [
      "none where a port is let in at a rate, as `ufw limit` does",
      [
        "-p tcp -m tcp --dport 8443 -m conntrack --ctstate NEW -m recent --set --name DEFAULT --mask 255.255.255.255 --rsource",
        "-p tcp -m tcp --dport 8443 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 --name DEFAULT --mask 255.255.255.255 --rsource -j DROP",
        "-p tcp -m tcp --dport 8443 -j ACCEPT",
      ],
      [],
    ],
    [
      "one where it is dropped before it is let in",
      ["-p tcp -m multiport --dports 8443,8444 -j DROP", "-p tcp -m tcp --dport 8443 -j ACCEPT"],
      one("rule", "ip filter INPUT"),
    ],
    ["none where it is let in before it is dropped", ["-p tcp -m tcp --dport 8443 -j ACCEPT", "-j DROP"], []],
    [
      "maybe one where some interface's are dropped",
      ["-i eth1 -p tcp -m tcp --dport 8443 -j DROP", "-p tcp -m tcp --dport 8443 -j ACCEPT"],
      one("may", "ip filter ufw-user-input"),
    ],
  ])("%s", (_, rules, obstacles) => {
    expect(findObstacles({ tables: "", xtables: ufw(...rules) }, policy)).toEqual(obstacles);
  });
});

type Expression = Readonly<Record<string, unknown>>;

/** As `nft -j -t list ruleset` says it. */
function nft(...rules: readonly (readonly Expression[])[]): string {
  const at = { family: "inet", table: "filter" };
  const chain = { ...at, name: "input", type: "filter", hook: "input", prio: 0, policy: "drop" };
  const listed = rules.map((expr) => ({ rule: { ...at, chain: "input", expr } }));
  const further = { rule: { ...at, chain: "web", expr: [{ accept: null }] } };
  return JSON.stringify({ nftables: [{ chain }, { chain: { ...at, name: "web" } }, ...listed, further] });
}

describe("a chain of nft that drops by its policy is", () => {
  const blocks = one("policy", "inet filter input");
  const may = one("may", "inet filter input");
  const accept = { accept: null };
  const payload = { payload: { protocol: "tcp", field: "dport" } };
  const source = { payload: { protocol: "ip", field: "saddr" } };
  const is = (left: unknown, right: unknown, op = "==") => ({ match: { op, left, right } });
  test.each<readonly [string, readonly (readonly Expression[])[], readonly Obstacle[]]>([
    ["none with a set of ranges", [[is(payload, { set: [22, { range: [8_000, 8_500] }] }), accept]], []],
    [
      "none with a map of verdicts",
      [
        [
          {
            vmap: {
              key: payload,
              data: {
                set: [
                  [22, { drop: null }],
                  [8_443, accept],
                ],
              },
            },
          },
        ],
      ],
      [],
    ],
    [
      "none with a map of ranges that jumps",
      [
        [
          {
            vmap: { key: payload, data: { set: [[{ range: [8_000, 8_500] }, { jump: { target: "web" } }]] } },
          },
        ],
      ],
      [],
    ],
    [
      "one with a map of other ports",
      [[{ vmap: { key: payload, data: { set: [[{ range: [1, 1_023] }, accept]] } } }]],
      blocks,
    ],
    [
      "one with a map that drops the port",
      [[{ vmap: { key: payload, data: { set: [[8_443, { drop: null }]] } } }]],
      one("rule", "inet filter input"),
    ],
    ["maybe one with a set that is not listed", [[is(payload, "@open"), accept]], may],
    ["maybe one with a map that is not listed", [[{ vmap: { key: payload, data: "@ports" } }]], may],
    [
      "maybe one with addresses and ports together",
      [[is({ concat: [source, payload] }, "@open"), accept]],
      may,
    ],
    ["maybe one with some sources", [[is(source, "@office"), is(payload, 8_443), accept]], may],
    [
      "one with established connections",
      [[is({ ct: { key: "state" } }, ["established", "related"], "in"), accept]],
      blocks,
    ],
    [
      "one with a map of states",
      [
        [
          {
            vmap: {
              key: { ct: { key: "state" } },
              data: {
                set: [
                  ["established", accept],
                  ["invalid", { drop: null }],
                ],
              },
            },
          },
        ],
      ],
      blocks,
    ],
    [
      "none with new connections of TCP",
      [[is({ ct: { key: "state" } }, "new", "in"), is({ meta: { key: "l4proto" } }, "tcp"), accept]],
      [],
    ],
    [
      "maybe one with iptables' list of ports, of which nft says nothing",
      [[{ xt: { type: "match", name: "multiport" } }, { counter: { packets: 0, bytes: 0 } }, accept]],
      may,
    ],
    ["one with the loopback", [[is({ meta: { key: "iif" } }, "lo"), accept]], blocks],
  ])("%s", (_, rules, obstacles) => {
    expect(findObstacles({ tables: nft(...rules) }, policy)).toEqual(obstacles);
  });
});

/** The rules of a host with Docker 26, for a container whose port 80 is published as 8443. */
const docker = (user: readonly string[], forward: readonly string[] = []) => `# ipv4
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
-A FORWARD -j DOCKER-USER
${forward.map((rule) => `-A FORWARD ${rule}\n`).join("")}-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
${user.map((rule) => `-A DOCKER-USER ${rule}\n`).join("")}-A DOCKER-USER -j RETURN
COMMIT
# ipv6
`;

describe("for a published port that is gated before it is forwarded,", () => {
  const may = one("may", "ip filter DOCKER-USER");
  test.each<readonly [string, readonly string[], readonly Obstacle[]]>([
    ["Docker's own rules are no obstacle", [], []],
    [
      "a drop of the container's port is one",
      ["-p tcp -m tcp --dport 80 -j DROP"],
      one("rule", "ip filter DOCKER-USER"),
    ],
    [
      "a drop of the published port is one",
      ["-p tcp -m conntrack --ctorigdstport 8443 -j DROP"],
      one("rule", "ip filter DOCKER-USER"),
    ],
    ["a drop of another port is none", ["-p tcp -m conntrack --ctorigdstport 8080 -j DROP"], []],
    ["a drop of all that comes by an interface may be one", ["-i eth0 -j DROP"], may],
    ["a drop of all but some sources may be one", ["! -s 192.0.2.0/24 -i eth0 -j DROP"], may],
    [
      "a drop for one list of ports is one",
      ["-p tcp -m multiport --dports 80,443 -j REJECT"],
      one("rule", "ip filter DOCKER-USER"),
    ],
  ])("%s", (_, user, obstacles) => {
    expect(findObstacles({ tables: "", xtables: docker(user) }, published)).toEqual(obstacles);
  });

  test("a drop in another chain for forwarded packets is one, too", () => {
    const found = findObstacles(
      { tables: "", xtables: docker([], ["-p tcp -m tcp --dport 80 -j DROP"]) },
      published,
    );
    expect(found).toEqual(one("rule", "ip filter FORWARD"));
  });

  test("a drop in a chain for packets to the host itself is none, and the other way round", () => {
    const tables = nft([{ drop: null }]);
    expect(findObstacles({ tables, xtables: docker([]) }, published)).toEqual([]);
    expect(findObstacles({ tables: "", xtables: docker(["-j DROP"]) }, policy)).toEqual([]);
  });
});
