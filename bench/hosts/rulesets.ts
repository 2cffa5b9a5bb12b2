import { randomBytes } from "node:crypto";
import { renderPolicy } from "../../src/backends/render";
import { parsePolicy } from "../../src/policy/parse";
import type { Policy, PolicyInput } from "../../src/policy/policy";
import { doorPort } from "./bench-hosts";

/** Where a datagram with a token belongs. */
export const tokenPort = 62_201;

/** The tool that loads a ruleset. */
export const loaders = ["nftables", "iptables-nft", "iptables-legacy"] as const;
export type Loader = (typeof loaders)[number];

export interface GateShape {
  readonly name: string;
  readonly door: number;
  readonly steps: readonly number[];
}

/** Makes this many gates of three TCP steps each. The first gate protects the port with the server. */
export function shapeGates(count: number): readonly GateShape[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `gate${index + 1}`,
    door: index === 0 ? doorPort : 3_000 + index,
    steps: [47_001 + 3 * index, 58_002 + 3 * index, 39_003 + 3 * index],
  }));
}

/** The text that Knockgate loads for gates, with all of its defaults. */
export function renderOurs(loader: Loader, gates: readonly GateShape[]): string {
  return renderPolicy(shapePolicy(loader, gates));
}

/** The policy of gates, with all of its defaults. */
export function shapePolicy(loader: Loader, gates: readonly GateShape[]): Policy {
  return parse({
    name: "bench",
    backend: loader === "nftables" ? "nftables" : "iptables",
    gates: gates.map(({ name, door, steps }) => ({
      name,
      protect: [{ tcp: `${door}` }],
      knock: { steps: steps.map((tcp) => ({ tcp })) },
    })),
  });
}

/** The policy of one gate before the server's port, which opens to the tokens of this many users. */
export function shapeTokenPolicy(users: number): Policy {
  return parse({
    name: "bench",
    users: Array.from({ length: users }, (_, index) => ({
      name: `user${index + 1}`,
      key: randomBytes(32).toString("base64url"),
    })),
    gates: [{ name: "gate1", protect: [{ tcp: `${doorPort}` }], knock: { token: { udp: tokenPort } } }],
  });
}

function parse(input: PolicyInput): Policy {
  const reading = parsePolicy(input);
  if (reading.kind !== "policy") throw new Error(`no policy: ${JSON.stringify(reading)}`);
  return reading.policy;
}

/**
 * What people write by hand for gates with nftables: sets with timeouts, and a list of rules. It has no strictness, no
 * IPv6 and no limit, so it does less than what Knockgate renders.
 */
export function writeNftables(gates: readonly GateShape[]): string {
  return writeByHand(gates, false);
}

/** The same, but a packet that is not the next step puts its source back to the start. */
export function writeStrictNftables(gates: readonly GateShape[]): string {
  return writeByHand(gates, true);
}

function writeByHand(gates: readonly GateShape[], isStrict: boolean): string {
  const sets = gates.flatMap(({ name, steps }) =>
    [
      ...steps.slice(1).map((_, index) => [`${name}_${index + 1}`, 5] as const),
      [`${name}_open`, 30] as const,
    ].map(([set, seconds]) => `set ${set} { type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s; }`),
  );
  const rules = gates.flatMap(({ name, door, steps }) => [
    `tcp dport ${door} ip saddr @${name}_open accept`,
    `tcp dport ${door} drop`,
    // Backwards, so that one packet takes only one step.
    ...steps
      .map((port, index) => {
        const known = index === 0 ? "" : `ip saddr @${name}_${index} `;
        const next = index === steps.length - 1 ? `${name}_open` : `${name}_${index + 1}`;
        const put = `tcp dport ${port} ${known}update @${next} { ip saddr }`;
        return isStrict && index > 0 ? `${put} delete @${name}_${index} { ip saddr } return` : put;
      })
      .reverse()
      .flatMap((rule, index) =>
        isStrict && index === steps.length - 1 ? [...resets(name, steps), rule] : [rule],
      ),
  ]);
  const chain = [
    "type filter hook input priority filter; policy accept;",
    'iif "lo" accept',
    "ct state established,related accept",
    ...rules,
  ];
  return `table inet byhand {\n${sets.join("\n")}\nchain input {\n${chain.join("\n")}\n}\n}\n`;
}

/** The rules that reset a knock. They stand before the first step, which begins a knock from any state. */
function resets(name: string, steps: readonly number[]): readonly string[] {
  return steps
    .slice(1)
    .map((_, index) => `ip saddr @${name}_${index + 1} delete @${name}_${index + 1} { ip saddr }`);
}

/** The same with `-m recent`, for iptables-restore; only IPv4. */
export function writeRecent(gates: readonly GateShape[]): string {
  return writeRecentByHand(gates, false);
}

export function writeStrictRecent(gates: readonly GateShape[]): string {
  return writeRecentByHand(gates, true);
}

function writeRecentByHand(gates: readonly GateShape[], isStrict: boolean): string {
  const rules = gates.flatMap(({ name, door, steps }) => {
    const list = (position: number) => (position === steps.length ? `${name}_open` : `${name}_${position}`);
    const isIn = (position: number) => `-m recent --rcheck --seconds 5 --name ${list(position)} `;
    const takeOut = (position: number) => `-m recent --remove --name ${list(position)}`;
    const resets = steps.slice(1).map((_, index) => `-A INPUT ${isIn(index + 1)}${takeOut(index + 1)}`);
    const taken = steps.map((port, index) => {
      const known = index === 0 ? "" : isIn(index);
      const put = `-A INPUT -p tcp --dport ${port} ${known}-m recent --set --name ${list(index + 1)}`;
      return isStrict && index > 0 ? `${put} ${takeOut(index)} -j RETURN` : put;
    });
    const [first = "", ...later] = taken;
    return [
      `-A INPUT -p tcp --dport ${door} -m recent --rcheck --seconds 30 --name ${name}_open -j ACCEPT`,
      `-A INPUT -p tcp --dport ${door} -j DROP`,
      ...later.reverse(),
      ...(isStrict ? resets : []),
      first,
    ];
  });
  const first = ["-A INPUT -i lo -j ACCEPT", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"];
  return `*filter\n${[...first, ...rules].join("\n")}\nCOMMIT\n`;
}

/** The table `byhand` of a host whose door somebody else opens: by a rule in a chain or a set of this table. */
export function closeDoor(part: string, opened: string): string {
  return `table inet byhand {
    ${part}
    chain input {
      type filter hook input priority filter; policy accept;
      iif "lo" accept
      ct state established,related accept
      ${opened}
      tcp dport ${doorPort} drop
    }
  }\n`;
}

/** The same for iptables-restore: a rule before these opens the door. */
export const closeDoorByIptables = `*filter
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp --dport ${doorPort} -j DROP
COMMIT\n`;
