import { backendOf, nameOnHost } from "../backends/backends.js";
import type { Policy } from "../policy/policy.js";
import { doPortRangesOverlap, type PortRange, type Protocol, protocols } from "../policy/port.js";
import { listProtected } from "../policy/protect.js";
import type { Observed } from "./observed.js";

interface OtherDoor {
  readonly policy: string;
  /** As the host keeps it: `nftables`, `iptables_filter`, `iptables_mangle`. */
  readonly backend: string;
  readonly protocol: Protocol;
  readonly range: PortRange;
}

/**
 * Warns of ports that another policy of the host protects, too. A drop is final and an accept in one nftables table is
 * not (nft(8), "VERDICT STATEMENTS"), so a client needs both knocks. In iptables' table filter an accept is final.
 * There, the policy whose jump comes first decides: the one that was loaded last.
 */
export function listSharedPorts({ doors = "" }: Observed, policy: Policy): readonly string[] {
  const lines = readDoors(doors).flatMap((other) =>
    policy.gates.flatMap((gate) =>
      listProtected(gate, other.protocol)
        .filter((range) => doPortRangesOverlap(range, other.range))
        .map((range) => {
          const port = Math.max(range.first, other.range.first);
          const what = `${other.protocol.toUpperCase()} port ${port} of gate ${gate.name} is also protected by policy ${other.policy} on this host`;
          return `${what}: ${decides(other, policy)}. Protect it by one policy only`;
        }),
    ),
  );
  return [...new Set(lines)];
}

function decides({ backend, policy: name }: OtherDoor, policy: Policy): string {
  const isFinal = backend === nameOnHost(policy) && backendOf(policy).finalTables(policy.scope).length > 0;
  return isFinal
    ? `with iptables only the policy that was loaded last decides, so the knock of ${policy.name} opens the port, and ${name} has no effect on it`
    : `a connection has to pass both gates, so it needs both knocks`;
}

function readDoors(text: string): readonly OtherDoor[] {
  let [policy, backend] = ["", ""];
  return text.split("\n").flatMap((line): readonly OtherDoor[] => {
    const head = /^policy (\S+) ?(\S*)$/.exec(line);
    if (head !== null) {
      [policy, backend] = [head[1] ?? "", head[2] ?? ""];
      return [];
    }
    const protocol = protocols.find((each) => new RegExp(`\\b${each} dport |-p ${each} `).test(line));
    if (protocol === undefined) return [];
    return [...line.matchAll(/(\d+)(?:[-:](\d+))?(?= (?:: )?goto \S+_door| -m recent)/g)].map((found) => ({
      policy,
      backend,
      protocol,
      range: { first: Number(found[1]), last: Number(found[2] ?? found[1]) },
    }));
  });
}
