import { listFamilyLines } from "../../backends/iptables/render.js";
import { type Family, families } from "../../policy/prefix.js";
import { type Condition, combineConditions, hasNewState, isProtocol } from "./conditions.js";
import type { FirstPacket, ForeignRule, ForeignTable } from "./packet-path.js";

/** The hooks of iptables' built-in chains for packets to a host, or through it. */
const hooks: Readonly<Record<string, string>> = {
  PREROUTING: "prerouting",
  INPUT: "input",
  FORWARD: "forward",
};

/**
 * Reads the output of iptables-save and ip6tables-save, each below its heading (iptables(8), iptables-extensions(8)).
 */
export function readXtablesRules(text: string): readonly ForeignTable[] {
  return families.flatMap((family) => readFamily(listFamilyLines(text, family), family));
}

function readFamily(lines: readonly string[], family: Family): readonly ForeignTable[] {
  const begins = lines.flatMap((line, index) => (line.startsWith("*") ? [index] : []));
  return begins.map((begin, index) => {
    const part = lines.slice(begin + 1, begins[index + 1]);
    return {
      name: `${family === "ipv4" ? "ip" : "ip6"} ${lines[begin]?.slice(1)}`,
      bases: part.flatMap((line) => {
        const [, name = "", policy = ""] = /^:(\S+) ([A-Z]+)/.exec(line) ?? [];
        const hook = hooks[name];
        return hook === undefined ? [] : [{ name, hook, policy: policy.toLowerCase() }];
      }),
      rules: part.flatMap((line) => readRule(line)),
    };
  });
}

function readRule(line: string): readonly ForeignRule[] {
  const words = splitWords(line);
  if (words[0] !== "-A") return [];
  const conditions: Condition[] = [];
  let act: ForeignRule["act"];
  let isNegated = false;
  for (let index = 2; index < words.length; index += 1) {
    const [word = "", value = ""] = words.slice(index);
    if (word === "!") {
      isNegated = true;
      continue;
    }
    if (word === "-j" || word === "-g") {
      act = readTarget(word, value, words);
      break;
    }
    const option = options[word];
    conditions.push(
      ...(option === undefined ? unknownOption(word) : option.read(value, isNegated, words[index + 2])),
    );
    index += option?.values ?? countValues(words, index);
    isNegated = false;
  }
  return [{ chain: words[1] ?? "", act, reach: combineConditions(conditions) }];
}

function readTarget(word: string, target: string, words: readonly string[]): ForeignRule["act"] {
  switch (target) {
    case "ACCEPT":
      return { kind: "accept" };
    case "DROP":
    case "REJECT":
      return { kind: "drop" };
    case "RETURN":
      return { kind: "return" };
    case "DNAT":
    case "REDIRECT": {
      const to =
        words[words.findIndex((one) => one === "--to-destination" || one === "--to-ports") + 1] ?? "";
      const port = /(?:^|:)(\d+)(?:-\d+)?$/.exec(to)?.[1];
      return { kind: "translate", port: port === undefined ? undefined : Number(port) };
    }
    default:
      // A target that is not a chain, such as LOG, becomes a jump to a chain without rules.
      return { kind: word === "-g" ? "goto" : "jump", chain: target };
  }
}

interface OptionReader {
  readonly values: number;
  readonly read: (value: string, isNegated: boolean, second?: string) => readonly Condition[];
}

const ignored: OptionReader = { values: 1, read: () => [] };
const always = (holds: boolean): readonly Condition[] => [{ kind: holds ? "always" : "never" }];
const port = (isAbout: (first: FirstPacket, list: string) => boolean): OptionReader => ({
  values: 1,
  read: (list, isNegated) => [{ kind: "port", isAbout: (first) => isAbout(first, list) !== isNegated }],
});
const toPort = port(({ port: wanted }, list) => isListed(list, wanted));
const states: OptionReader = {
  values: 1,
  read: (list, isNegated) => always(hasNewState(list.split(",")) !== isNegated),
};
const rate: OptionReader = { values: 1, read: () => [{ kind: "rate" }] };

const options: Readonly<Record<string, OptionReader>> = {
  "-m": { values: 1, read: (name) => (name === "recent" ? [{ kind: "rate" }] : []) },
  "--comment": ignored,
  "-p": {
    values: 1,
    read: (name, isNegated) => [
      {
        kind: "protocol",
        isAbout: (protocol) => (name === "all" || isProtocol(name, protocol)) !== isNegated,
      },
    ],
  },
  "--dport": toPort,
  "--dports": toPort,
  "--ports": toPort,
  "--ctorigdstport": port((first, list) => isListed(list, first.publishedPort ?? first.port)),
  "--ctstate": states,
  "--state": states,
  "--icmp-type": { values: 1, read: () => always(false) },
  "--icmpv6-type": { values: 1, read: () => always(false) },
  "--dst-type": { values: 1, read: (type, isNegated) => always((type === "LOCAL") !== isNegated) },
  "-i": {
    values: 1,
    // Gates ignore packets from loopback.
    read: (name, isNegated) => (name === "lo" ? always(isNegated) : [{ kind: "some" }]),
  },
  "--tcp-flags": {
    values: 2,
    read: (mask, isNegated, set = "") => always(isFirst(mask, set) !== isNegated),
  },
  "--syn": { values: 0, read: (_, isNegated) => always(!isNegated) },
  "--limit": rate,
  "--limit-burst": rate,
  "--hashlimit-upto": rate,
  "--hashlimit-above": rate,
  "--connlimit-above": rate,
  "--connlimit-upto": rate,
};

/** Whether the match fits the first packet of a connection: it has SYN, and has neither ACK nor RST nor FIN. */
function isFirst(mask: string, set: string): boolean {
  const looked = mask === "ALL" ? ["SYN", "ACK", "RST", "FIN", "PSH", "URG"] : mask.split(",");
  const wanted = set === "NONE" ? [] : set.split(",");
  return looked.every((flag) => (flag === "SYN") === wanted.includes(flag));
}

function isListed(list: string, wanted: number): boolean {
  return list.split(",").some((entry) => {
    const [first, last = first] = entry.split(":").map(Number);
    return first !== undefined && last !== undefined && first <= wanted && wanted <= last;
  });
}

/** Any other option: a source, an address, an interface, a set, a mark. It looks at more than the port. */
function unknownOption(word: string): readonly Condition[] {
  return word.startsWith("--hashlimit") || recent.has(word) ? [] : [{ kind: "some" }];
}

const recent = new Set([
  "--name",
  "--rsource",
  "--rdest",
  "--seconds",
  "--hitcount",
  "--update",
  "--rcheck",
  "--set",
  "--mask",
  "--reap",
  "--rttl",
]);

function countValues(words: readonly string[], at: number): number {
  let count = 0;
  while (at + count + 1 < words.length && !/^(?:-{1,2}[A-Za-z]|!$)/.test(words[at + count + 1] ?? ""))
    count += 1;
  return count;
}

/** iptables-save quotes a word that contains a space. */
function splitWords(line: string): readonly string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}
