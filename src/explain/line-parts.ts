import { renderPolicy } from "../backends/render.js";
import type { Gate, Policy } from "../policy/policy.js";
import { mergePortRanges, protocols } from "../policy/port.js";
import { listProtected } from "../policy/protect.js";
import { type Step, stepKinds, stepProtocols } from "../policy/step.js";
import type { ShowSecret } from "../ruleset/ruleset.js";

/** For each line of a policy's ruleset, in order: the paths of the policy's parts that it comes from. */
export type LineParts = readonly (readonly string[])[];

/** A mark in the place of a step's secret. No ruleset has these characters. */
const markStep: ShowSecret = ({ gate, position }) => `\u0001${gate}\u0002${position}\u0003`;

/**
 * Finds the lines that come from each part of a policy. A step is found by a mark that is printed in place of its
 * secret. A gate is found by the names of its chains, sets and counters, and by its ports. A setting is found by the
 * lines that differ when the setting differs.
 */
export function findLineParts(policy: Policy): LineParts {
  const readGates = makeGateReader(policy);
  const settings = listSettings(policy);
  const indexOf = new Map(policy.gates.map(({ name }, index) => [name, index]));
  let block: Block | undefined;
  return renderLines(policy).map((line) => {
    const seen = readGates(line);
    if (/^\t\S.*\{$/.test(line)) {
      block = {
        ...seen,
        isDenied: settings.some(({ path, kept }) => path === "denyFrom" && !kept.has(line)),
      };
    }
    const marks = [...line.matchAll(stepMark)].map(([, name = "", position]) => {
      return { gate: indexOf.get(name) ?? -1, index: Number(position) - 1 };
    });
    const gates = [...new Set([...(block?.gates ?? []), ...seen.gates, ...marks.map(({ gate }) => gate)])];
    const steps = marks.map(({ gate, index }) => `${gatePath(gate)}.knock.steps[${index}]`);
    const isDoor = seen.isDoor || block?.isDoor === true;
    const changed = settings.filter(({ path, kept }) => {
      if (path === "denyFrom" && block?.isDenied === true) return true;
      // Without strict, the rule of the first step also forgets the other steps. This rule still belongs to the first
      // step.
      return !kept.has(line) && !(path === "knock.strict" && steps.length > 0);
    });
    if (line === "\t}") block = undefined;
    return [
      ...gates.map(gatePath),
      ...(isDoor ? gates.map((gate) => `${gatePath(gate)}.protect`) : []),
      ...new Set(steps),
      ...changed.flatMap(({ path, isOfGate }) =>
        isOfGate ? gates.map((gate) => `${gatePath(gate)}.${path}`) : [path],
      ),
    ];
  });
}

/** A chain, set or counter of nftables. All its lines belong to what its first line belongs to. */
interface Block extends GateReading {
  readonly isDenied: boolean;
}

interface Setting {
  /** The path, below a gate's path or the policy's. */
  readonly path: string;
  readonly isOfGate: boolean;
  /** The lines that stay when the setting differs. */
  readonly kept: ReadonlySet<string>;
}

interface GateReading {
  readonly gates: readonly number[];
  /** Whether it leads to a gate's door, or is part of the door. */
  readonly isDoor: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the marks of markStep
const stepMark = /\u0001(.*?)\u0002(\d+)\u0003/g;

function renderLines(policy: Policy): readonly string[] {
  return renderPolicy(policy, markStep).trimEnd().split("\n");
}

export function gatePath(index: number): string {
  return `gates[${index}]`;
}

/** Lists the settings that lines are found by, each with a policy that differs only in this setting. */
function listSettings(policy: Policy): readonly Setting[] {
  const { limits, log } = policy;
  const setGates = (set: (gate: Gate) => Gate) => ({
    ...policy,
    gates: policy.gates.map(set),
  });
  const ofGates = (path: string, changed: Policy) => ({ path, isOfGate: true, changed });
  const ofPolicy = (path: string, changed: Policy) => ({ path, isOfGate: false, changed });
  const settings = [
    ofGates(
      "knock.stepTimeoutSeconds",
      setGates((gate) => ({
        ...gate,
        knock: { ...gate.knock, stepTimeoutSeconds: gate.knock.stepTimeoutSeconds + 1 },
      })),
    ),
    ofGates(
      "knock.strict",
      setGates((gate) => ({ ...gate, knock: { ...gate.knock, strict: false } })),
    ),
    ofGates(
      "openForSeconds",
      setGates((gate) => ({ ...gate, openForSeconds: gate.openForSeconds + 1 })),
    ),
    ofPolicy("scope", { ...policy, scope: policy.scope === "input" ? "prerouting" : "input" }),
    ofPolicy("stealth", { ...policy, stealth: !policy.stealth }),
    ofPolicy("allowFrom", { ...policy, allowFrom: [] }),
    ofPolicy("denyFrom", { ...policy, denyFrom: [] }),
    ofPolicy("limits.sources", { ...policy, limits: { ...limits, sources: limits.sources + 1 } }),
    ...(limits.firstStepsPerSecond === 0
      ? []
      : [
          ofPolicy("limits.firstStepsPerSecond", {
            ...policy,
            limits: { ...limits, firstStepsPerSecond: limits.firstStepsPerSecond + 1 },
          }),
        ]),
    ...(log === undefined
      ? []
      : [ofPolicy("log", { ...policy, log: { ...log, prefix: log.prefix === "a" ? "b" : "a" } })]),
  ];
  return settings.map(({ changed, ...setting }) => ({ ...setting, kept: new Set(renderLines(changed)) }));
}

/** Lines that send all packets of a kind to the gates. */
const goesByKind: Readonly<Record<Step["kind"], RegExp>> = {
  tcp: /(^\t\ttcp flags |--tcp-flags \S+ ).*(?<= goto |_)beginning$/,
  udp: /(^\t\tmeta l4proto udp goto | -p udp -g kg_.*_)beginning$/,
  icmpEcho: /(^\t\ticmp(v6)? type echo-request goto | --icmp(v6)?-type \d+ -g kg_.*_)beginning$/,
};

/** Whether packets of a kind may go to the gate's ports, or begin its knock. */
function isOfKind(gate: Gate, kind: Step["kind"]): boolean {
  const protocol = stepProtocols[kind];
  const isProtected = protocol !== undefined && listProtected(gate, protocol).length > 0;
  return isProtected || gate.knock.steps[0]?.kind === kind;
}

/** Gates' names consist of a-z, 0-9 and `-`. So the first underscore ends a gate's name. */
function makeGateReader(policy: Policy): (line: string) => GateReading {
  const prefix = policy.backend === "iptables" ? `kg_${policy.name}_` : "";
  const names = "opened|accepted|dropped|reset|step\\d+|packet\\d+|open|first|door|closed|knock|begin";
  const named = new RegExp(`(?<![\\w-])${prefix}([a-z][a-z0-9-]*)_(${names})(?:_v[46])?(?![\\w-])`, "g");
  const indexOf = new Map(policy.gates.map(({ name }, index) => [name, index]));
  const byPorts = new Map(
    policy.gates.flatMap((gate, index) =>
      protocols.flatMap((protocol) =>
        mergePortRanges(listProtected(gate, protocol)).map(({ first, last }) => {
          const ports = first === last ? `${first}` : `${first}:${last}`;
          return [`${protocol} ${ports}`, index] as [string, number];
        }),
      ),
    ),
  );
  const ofGates = (isOf: (gate: Gate) => boolean): GateReading => ({
    gates: policy.gates.flatMap((gate, index) => (isOf(gate) ? [index] : [])),
    isDoor: false,
  });
  const ofKind = Object.fromEntries(stepKinds.map((kind) => [kind, ofGates((gate) => isOfKind(gate, kind))]));
  return (line) => {
    // The size and the timeout of this set depend on all gates together.
    if (/^\tset knocking\d+_v[46] \{$| --rcheck --seconds \d+ --name kg_[^ _]+_knocking /.test(line))
      return ofGates(() => true);
    const kind = stepKinds.find((each) => goesByKind[each].test(line));
    if (kind !== undefined) return ofKind[kind] ?? ofGates(() => false);
    const names = [...line.matchAll(named)];
    // In iptables, a short door is printed where its ports are matched, and has no name there. Ports that are matched
    // together have no name either.
    const [, protocol, ports = ""] =
      / -p (tcp|udp) -m (?:\1 --dport|multiport --dports) ([\d:,]+)(?= |$)/.exec(line) ?? [];
    const byPort = ports.split(",").flatMap((range) => byPorts.get(`${protocol} ${range}`) ?? []);
    const gates = names.flatMap(([, name]) => indexOf.get(name ?? "") ?? []);
    return {
      gates: [...new Set([...gates, ...byPort])],
      isDoor: byPort.length > 0 || names.some(([, , kind]) => kind === "door" || kind === "closed"),
    };
  };
}
