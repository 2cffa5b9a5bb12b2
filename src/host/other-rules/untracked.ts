import { z } from "zod";
import { listEntries } from "../../backends/nftables/description.js";
import { hasField, readField } from "../../backends/nftables/json.js";
import type { Policy } from "../../policy/policy.js";
import { doPortRangesOverlap, type PortRange, type Protocol, parsePortRange } from "../../policy/port.js";
import { listProtected } from "../../policy/protect.js";
import type { Observed } from "../observed.js";

/** An entry of another firewall that does not have the expected shape is left out. */
const entrySchema = z.object({
  rule: z.object({ family: z.string(), table: z.string(), chain: z.string(), expr: z.array(z.unknown()) }),
});

/** A rule that keeps packets from conntrack, and the ports that it matches. */
interface Exemption {
  readonly place: string;
  readonly protocol: Protocol | undefined;
  /** `undefined`: it matches any port. */
  readonly ports: readonly PortRange[] | undefined;
}

/**
 * Warns of protected ports that conntrack does not see. To conntrack, no packet of such a port belongs to a known
 * connection. So each UDP packet, and with `stealth` each TCP packet, meets the door, and a flow is cut when the door
 * closes.
 */
export function listUntracked({ tables, untracked = "" }: Observed, policy: Policy): readonly string[] {
  const exemptions = [...readNftables(tables), ...untracked.split("\n").flatMap(readIptables)];
  const protocols: readonly Protocol[] = policy.stealth ? ["tcp", "udp"] : ["udp"];
  const lines = policy.gates.flatMap((gate) =>
    protocols.flatMap((protocol) =>
      listProtected(gate, protocol).flatMap((range) =>
        exemptions
          .filter((exemption) => isAbout(exemption, protocol, range))
          .map(
            ({ place }) =>
              `${place} keeps ${protocol.toUpperCase()} port ${range.first} of gate ${gate.name} from conntrack: each packet meets the door, so connections there are cut when the door closes. Remove the notrack rule`,
          ),
      ),
    ),
  );
  return [...new Set(lines)];
}

function isAbout({ protocol, ports }: Exemption, asked: Protocol, range: PortRange): boolean {
  if (protocol !== undefined && protocol !== asked) return false;
  return ports?.some((each) => doPortRangesOverlap(each, range)) ?? true;
}

/** Reads only the rules made with nft. Rules that iptables put into nf_tables come from iptables-save. */
function readNftables(json: string): readonly Exemption[] {
  const rules = listEntries(json).flatMap((entry) => entrySchema.safeParse(entry).data?.rule ?? []);
  return rules.flatMap((rule): readonly Exemption[] => {
    if (!rule.expr.some((part) => hasField(part, "notrack"))) return [];
    const place = `chain ${rule.family} ${rule.table} ${rule.chain}`;
    const found = rule.expr.flatMap(readPorts);
    const [first] = found;
    if (first !== undefined)
      return [{ place, protocol: first.protocol, ports: found.flatMap((each) => each.ports) }];
    return [{ place, protocol: undefined, ports: undefined }];
  });
}

/**
 * Reads a match on a destination or source port (libnftables-json(5)). A source port counts, too: conntrack makes no
 * flow if it does not see the answers.
 */
function readPorts(
  part: unknown,
): readonly { protocol: Protocol | undefined; ports: readonly PortRange[] }[] {
  const match = readField(part, "match");
  const payload = readField(readField(match, "left"), "payload");
  if (!["dport", "sport"].includes(`${readField(payload, "field")}`)) return [];
  const name = readField(payload, "protocol");
  const protocol = name === "tcp" || name === "udp" ? name : undefined;
  return [{ protocol, ports: readRanges(readField(match, "right")) }];
}

function readRanges(value: unknown): readonly PortRange[] {
  if (typeof value === "number") return [{ first: value, last: value }];
  const range = readField(value, "range");
  if (Array.isArray(range)) return [{ first: Number(range[0]), last: Number(range[1]) }];
  const set = readField(value, "set");
  return Array.isArray(set) ? set.flatMap(readRanges) : [];
}

function readIptables(rule: string): readonly Exemption[] {
  const chain = /^-A (\S+) /.exec(rule)?.[1];
  if (chain === undefined) return [];
  const name = / -p (\S+)/.exec(rule)?.[1];
  const protocol = name === "tcp" || name === "udp" ? name : undefined;
  if (name !== undefined && protocol === undefined) return [];
  const list = / --(?:[sd]ports?|ports) (\S+)/.exec(rule)?.[1];
  const ports = list?.split(",").flatMap((text) => parsePortRange(text.replace(":", "-")) ?? []);
  return [{ place: `iptables' chain raw ${chain}`, protocol, ports }];
}
