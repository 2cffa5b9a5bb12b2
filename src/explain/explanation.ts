import { backendOf } from "../backends/backends.js";
import { maskSecrets } from "../backends/redact.js";
import { renderLines } from "../backends/render.js";
import { guessingTime } from "../lint/entropy.js";
import { type LintFinding, lintPolicy, lintRules } from "../lint/lint.js";
import type { Gate, Policy } from "../policy/policy.js";
import { type GatePaths, listGatePaths } from "../policy/policy-path.js";
import { formatPortRange } from "../policy/port.js";
import { readProtect } from "../policy/protect.js";
import type { SecretFormatter } from "../ruleset/ruleset.js";
import { revealSecrets } from "../ruleset/show.js";
import { explainKnock, explainUsers } from "./knock.js";
import type { MakePart, Part } from "./part.js";
import { formatSeconds } from "./words.js";

/** A policy as people read it: plain data for the tables, the diagrams and the report. */
export interface Explanation {
  /** The policy's name. */
  readonly policy: string;
  readonly backend: Policy["backend"];
  readonly scope: Policy["scope"];
  /** Whether steps show their ports and sizes. If not, each has the same label as in previews. */
  readonly areSecretsShown: boolean;
  /** One for each gate, in the policy's order. */
  readonly gates: readonly GateExplanation[];
  /** Who passes without a knock, and who never passes. */
  readonly sources: readonly Part[];
  /** The settings that hold for all gates. */
  readonly settings: readonly Part[];
  /** The findings of the linter. */
  readonly findings: readonly LintFinding[];
  /**
   * The ruleset that the backend loads, line by line. Empty if a finding says that the backend can't do what the policy
   * asks for.
   */
  readonly ruleset: readonly RulesetLine[];
}

/** One gate of a policy. */
export interface GateExplanation {
  readonly name: string;
  /** Its path in the policy: `gates[0]`. */
  readonly path: string;
  /** The ports that it protects: `TCP 22`, `UDP 8000-8010`. */
  readonly protects: readonly string[];
  /** What its knock is called in a sentence: `the last step`, `the token`. */
  readonly lastPacket: string;
  /** One for each packet of its knock, in order: steps, or one token. */
  readonly steps: readonly Part[];
  /** `undefined`: its knock is one packet. */
  readonly betweenSteps?: { readonly timeoutSeconds: number; readonly isStrict: boolean } | undefined;
  readonly openForSeconds: number;
  /** What closes the door again: `30 s after the last step`. */
  readonly closes: string;
  /** How many bits a guesser has to guess. */
  readonly bits: number;
  /** All parts of the gate, in words: ports, steps, times, strength. */
  readonly parts: readonly Part[];
  /** The numbers of the ruleset's lines that exist for this gate. */
  readonly lines: readonly number[];
}

/** One line of a ruleset. */
export interface RulesetLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** The paths of the parts that it comes from. Empty if every policy has this line. */
  readonly paths: readonly string[];
}

/** How an explanation shows secrets. */
export interface ExplainOptions {
  /** The secret key of the labels that stand for steps. The same key gives the same label for the same step. */
  readonly key: string;
  /** Whether the steps' ports and sizes are shown. Default: false. */
  readonly showSecrets?: boolean;
}

/** How many tries a guesser has per second, as in the linter. */
const triesPerSecond = 100;

/** Explains a valid policy. The same policy and options give the same explanation. */
export function explainPolicy(policy: Policy, { key, showSecrets = false }: ExplainOptions): Explanation {
  const show = showSecrets ? revealSecrets : maskSecrets(key);
  const findings = lintPolicy(policy);
  const ruleset = findings.some(isImpossible) ? [] : listRuleset(policy, show);
  const lines = collectLines(ruleset);
  const makePart: MakePart = (path, name, meaning) => ({ path, name, meaning, lines: lines.get(path) ?? [] });
  return {
    policy: policy.name,
    backend: policy.backend,
    scope: policy.scope,
    areSecretsShown: showSecrets,
    gates: policy.gates.map((gate, index) => explainGate(gate, listGatePaths(gate, index), show, makePart)),
    sources: [...explainUsers(policy, makePart), ...explainSources(policy, makePart)],
    settings: explainSettings(policy, makePart),
    findings,
    ruleset,
  };
}

/**
 * Whether a finding says that the backend can't do what the policy asks for. These are the rules whose risk can't be
 * accepted. Such a policy has no ruleset.
 */
function isImpossible({ rule }: LintFinding): boolean {
  return lintRules.some(({ id, canBeAccepted }) => id === rule && !canBeAccepted);
}

function listRuleset(policy: Policy, show: SecretFormatter): readonly RulesetLine[] {
  return renderLines(policy, show).map(({ text, paths }, index) => ({ number: index + 1, text, paths }));
}

function collectLines(ruleset: readonly RulesetLine[]): ReadonlyMap<string, readonly number[]> {
  const lines = new Map<string, number[]>();
  for (const { number, paths } of ruleset) {
    for (const path of paths) {
      const numbers = lines.get(path);
      if (numbers === undefined) lines.set(path, [number]);
      else numbers.push(number);
    }
  }
  return lines;
}

function explainGate(
  gate: Gate,
  paths: GatePaths,
  show: SecretFormatter,
  makePart: MakePart,
): GateExplanation {
  const protects = gate.protect
    .flatMap(readProtect)
    .map(({ protocol, range }) => `${protocol.toUpperCase()} ${formatPortRange(range)}`);
  const { bits, lastPacket, steps, betweenSteps, closers, more } = explainKnock(gate, paths, show, makePart);
  const strength = `${Math.floor(bits)} bits: at ${triesPerSecond} tries a second, ${guessingTime(bits, triesPerSecond)} on average`;
  const until = `${formatSeconds(gate.openForSeconds)} after ${lastPacket}`;
  const what = gate.singleConnection ? "one new connection" : "new connections";
  const open = `${until}, for ${what} of that source; connections that were made go on`;
  const closes = [until, ...(gate.singleConnection ? ["after one connection"] : []), ...closers].join(
    ", or ",
  );
  return {
    name: gate.name,
    path: paths.gate,
    protects,
    lastPacket,
    steps,
    betweenSteps,
    openForSeconds: gate.openForSeconds,
    closes,
    bits,
    parts: [
      makePart(paths.protect, "protects", protects.join(", ")),
      ...steps,
      ...more,
      makePart(paths.openFor, "open for", open),
      makePart(`${paths.gate}.knock`, "strength", strength),
    ],
    lines: makePart(paths.gate, gate.name, "").lines,
  };
}

function explainSources({ allowFrom, denyFrom }: Policy, makePart: MakePart): readonly Part[] {
  const list = (texts: readonly string[]) => (texts.length === 0 ? "nobody" : texts.join(", "));
  const denied =
    denyFrom.length === 0
      ? list(denyFrom)
      : `${list(denyFrom)}: every door stays closed, and no knock counts`;
  return [
    makePart("allowFrom", "never needs to knock", list(allowFrom)),
    makePart("denyFrom", "never passes", denied),
  ];
}

function explainSettings(policy: Policy, makePart: MakePart): readonly Part[] {
  const { limits, log } = policy;
  const sources = backendOf(policy).describeRoom(limits);
  return [
    makePart(
      "scope",
      "gated",
      policy.scope === "input"
        ? "packets for the host itself"
        : "packets for the host's own addresses, before destination NAT",
    ),
    makePart(
      "stealth",
      "dropped",
      policy.stealth
        ? "all packets that are not of an established connection"
        : "packets that could begin a connection; other TCP packets are answered as usual",
    ),
    makePart("limits.sources", "remembers", sources),
    makePart(
      "limits.firstStepsPerSecond",
      "first steps",
      limits.firstStepsPerSecond === 0
        ? "all count"
        : `at most ${limits.firstStepsPerSecond} a second count, from one IPv4 /24 or IPv6 /64`,
    ),
    makePart(
      "log",
      "logged",
      log === undefined
        ? "nothing"
        : `${log.events.join(", ")}, at most ${log.perMinute} lines a minute each, beginning with ${log.prefix}`,
    ),
  ];
}
