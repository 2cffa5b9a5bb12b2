import { familySetName, tableName } from "../../src/backends/nftables/names";
import { baseChain, setShape } from "../../src/backends/nftables/render";
import { lowerForBackend, renderPolicy } from "../../src/backends/render";
import { makePurse } from "../../src/change/purse";
import type { ChangeContext } from "../../src/change/request";
import { KnockgateError } from "../../src/errors";
import type { KnockStep } from "../../src/knock/packet";
import { digestText } from "../../src/policy/digest";
import { findGate, isProtected } from "../../src/policy/gate";
import { isSequenceGate, stepsOf } from "../../src/policy/knock";
import type { Gate, Policy } from "../../src/policy/policy";
import type { CommandResult, HostConnection, Program, Route } from "../../src/ssh/host";
import {
  describeFault,
  type FakeTokenOptions,
  fakeName,
  fakeNowMs,
  makeFakeTokens,
  sourceOf,
} from "./fake-tokens";

type Command =
  | "probe"
  | "settle"
  | "count"
  | "openings"
  | "stage"
  | "arm"
  | "load"
  | "health"
  | "confirm"
  | "undo"
  | "adopt"
  | "remove";

/** One failure at one command. */
export interface Fault {
  readonly at: Command;
  /**
   * `refuses` and `babbles`: the command does not run. `cut before` and `cut after`: the connection is lost before or
   * after it ran.
   */
  readonly kind: "refuses" | "babbles" | "cut before" | "cut after";
  /** The exit code of a refusal. Default: 1, without a message. */
  readonly code?: number;
  readonly stderr?: string;
  /** Whether the host can't be reached any more afterwards. */
  readonly vanishes?: boolean;
}

export interface FakeHostOptions {
  /** What it has confirmed and loaded at the start. */
  readonly confirmed?: { readonly policy: Policy; readonly owner: string };
  /** Other policies that it may get: it recognizes policies by their rulesets. */
  readonly policies: readonly Policy[];
  readonly faults?: readonly Fault[];
  /** Default: 1.0.6. */
  readonly nftVersion?: string;
  /** Whether every connection fails. */
  readonly isUnreachable?: boolean;
  /** Whether a new ruleset lets everybody pass. */
  readonly leaks?: boolean;
  /** How many knocks get lost after a new ruleset is loaded. */
  readonly lostKnocks?: number;
  /** What it does with tokens. Default: all that is right. */
  readonly tokens?: FakeTokenOptions;
}

interface Confirmed {
  readonly id: string;
  readonly text: string;
  readonly owner: string;
  readonly tokens: string | undefined;
}

export interface FakeHost {
  readonly context: ChangeContext;
  readonly lines: readonly string[];
  /** Each command that arrived, after the number of its connection. */
  readonly calls: readonly string[];
  /** The users whose tokens were taken, in order. */
  readonly taken: readonly string[];
  /** All packets that were sent to it. */
  readonly packets: readonly KnockStep[];
  /** The program of each health command that ran. */
  readonly health: readonly string[];
  readonly state: {
    /** Texts of rulesets; `undefined`: none. */
    readonly loaded: string | undefined;
    readonly confirmed: Confirmed | undefined;
    readonly pending: { readonly id: string; readonly undo: string | undefined } | undefined;
    readonly openConnections: number;
  };
  /** Ends the time of a pending change. */
  elapse(): void;
}

/** Makes a host that keeps in memory what a real one keeps in its kernel and files. */
export function makeFakeHost(options: FakeHostOptions): FakeHost {
  const { confirmed: first, leaks = false, isUnreachable = false } = options;
  const known = [...(first === undefined ? [] : [first.policy]), ...options.policies];
  const policyByText = new Map(known.map((policy) => [renderPolicy(policy), policy]));
  const original = first === undefined ? undefined : renderPolicy(first.policy);

  const faults = [...(options.faults ?? [])];
  const lines: string[] = [];
  const calls: string[] = [];
  const health: string[] = [];
  const openDoors = new Set<string>();
  const counts = new Map<string, number>();
  let loaded = original;
  let confirmed: Confirmed | undefined =
    first === undefined
      ? undefined
      : {
          id: "first",
          text: renderPolicy(first.policy),
          owner: first.owner,
          tokens: sourceOf(first.policy, options.tokens),
        };
  const tokens = makeFakeTokens(options.tokens ?? {});
  const packets: KnockStep[] = [];
  let pending: { id: string; undo: string | undefined } | undefined;
  let staged: Confirmed | undefined;
  let hasVanished = isUnreachable;
  let lostKnocks = options.lostKnocks ?? 0;
  let connections = 0;
  let openConnections = 0;
  let ids = 0;

  const policyLoaded = () => (loaded === undefined ? undefined : policyByText.get(loaded));
  const load = (text: string | undefined) => {
    if (text === undefined || loaded === undefined) counts.clear();
    loaded = text;
    openDoors.clear();
  };

  const run: Record<Command, (words: readonly string[], program: string) => CommandResult> = {
    probe: () => say(describe()),
    settle: () => (pending === undefined ? say("settled=yes\n") : refuse(11, "another change is pending")),
    stage: (_, program) => {
      if (pending !== undefined)
        return refuse(11, "another change is pending; the host undoes it in 9 seconds");
      const [, id = ""] = /^stage_begin \S+ (\S+)$/m.exec(program) ?? [];
      staged = {
        id,
        text: readFile(program, "ruleset"),
        owner: readFile(program, "owner").trim(),
        tokens: readFile(program, "tokens") || undefined,
      };
      return say(`staged=${id}\n`);
    },
    arm: ([, id = ""]) => {
      if (pending !== undefined || staged?.id !== id) return refuse(13, "not staged");
      pending = { id, undo: loaded };
      return say("armed=process 7\n");
    },
    load: ([, id]) => {
      if (pending?.id !== id || staged?.id !== id) return refuse(13, "not pending");
      load(staged?.text);
      return say(`loaded=${id}\n${tokens.describeHost()}${tokens.describe(policyLoaded(), staged?.tokens)}`);
    },
    count: () => say(`${describeCounts()}end=count\n`),
    openings: () => say(`${options.tokens?.openings ?? ""}end=openings\n`),
    health: (_, program) => {
      health.push(program);
      return say("");
    },
    confirm: ([, id]) => {
      if (pending?.id !== id || staged?.id !== id) return refuse(13, "not pending any more");
      if (loaded !== staged?.text) return refuse(1, "the table changed between load and confirm");
      confirmed = staged;
      pending = undefined;
      return say(`digest=${digestText(confirmed?.text ?? "")}\n`);
    },
    undo: ([, id]) => {
      if (confirmed?.id === id) return say("undo=confirmed\n");
      if (pending?.id !== id) return say("undo=nothing\n");
      load(pending?.undo);
      pending = undefined;
      return say("undo=undone\n");
    },
    adopt: ([, owner = "", digest]) => {
      if (confirmed === undefined || digestText(confirmed.text) !== digest) return refuse(13, "was changed");
      confirmed = { ...confirmed, owner };
      return say(`owner=${owner}\n`);
    },
    remove: ([, owner]) => {
      if (pending !== undefined) return refuse(11, "another change is pending");
      if (confirmed !== undefined && confirmed.owner !== owner) return say("removed=another-owner\n");
      confirmed = undefined;
      load(undefined);
      return say("removed=yes\n");
    },
  };

  function describe(): string {
    const policy = policyLoaded();
    return [
      `client=192.0.2.9\nnft=nftables v${options.nftVersion ?? "1.0.6"}\ninit=other\n`,
      tokens.describeHost(),
      tokens.describe(confirmed && policyByText.get(confirmed.text), confirmed?.tokens),
      confirmed?.id === "first" ? describeFault(options.tokens) : "",
      pending === undefined ? "" : `pending=${pending.id}\n`,
      confirmed === undefined ? "" : `owner=${confirmed.owner}\n${section("ruleset", confirmed.text)}`,
      confirmed === undefined ? "" : section("baseline", confirmed.text),
      loaded === undefined ? "" : section("listing", loaded),
      policy === undefined ? "" : section("tables", `${JSON.stringify(listTable(policy, counts))}\n`),
      "end=probe\n",
    ].join("");
  }

  /** As `nft -j list counters` says it. */
  function describeCounts(): string {
    const table = tableName(policyLoaded()?.name ?? "");
    const counters = [...counts].map(([name, packets]) => ({ counter: { table, name, packets } }));
    return section("counts", `${JSON.stringify({ nftables: counters })}\n`);
  }

  function count(name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  /** Whether a gate lets a connection in. */
  function enter(gate: Gate): boolean {
    const isOpen = openDoors.has(gate.name);
    if (gate.singleConnection) openDoors.delete(gate.name);
    return isOpen;
  }

  /** Takes a token, or counts a datagram to a protected port. */
  function meet(step: KnockStep): void {
    if (hasVanished) return;
    if (step.kind === "token") {
      const gate = tokens.take(policyLoaded(), step);
      if (gate === undefined) return;
      if (step.use === "open") openDoors.add(gate.name);
      else openDoors.delete(gate.name);
    }
    if (step.kind !== "udp") return;
    const gate = policyLoaded()?.gates.find((one) => isProtected(one, "udp", step.port));
    if (gate !== undefined) count(`${gate.name}_${enter(gate) ? "accepted" : "dropped"}`);
  }

  function connect(): HostConnection {
    const number = ++connections;
    let isOpen = true;
    openConnections += 1;
    const end = () => {
      openConnections -= isOpen ? 1 : 0;
      isOpen = false;
    };
    const lose = (): never => {
      end();
      throw new KnockgateError("UNREACHABLE", "root@edge.test:22: the connection was lost");
    };
    return {
      close: end,
      run: async (program) => {
        if (!isOpen || hasVanished) lose();
        const [command, ...words] = readCommand(program);
        calls.push(`${number} ${command}`);
        const index = faults.findIndex(({ at }) => at === command);
        const [fault] = index < 0 ? [] : faults.splice(index, 1);
        const doesRun = fault === undefined || fault.kind === "cut after";
        const result = doesRun
          ? run[command](words, program.commands)
          : refuse(fault.code ?? 1, fault.stderr ?? "");
        if (fault?.vanishes) hasVanished = true;
        if (fault?.kind === "cut before" || fault?.kind === "cut after") lose();
        return fault?.kind === "babbles" ? say("Welcome to edge!\n") : result;
      },
    };
  }

  const route: Route = {
    name: "edge.test:22",
    connect: async () => {
      const policy = policyLoaded();
      const gate = policy === undefined ? undefined : findGate(policy, 22);
      const isShut = gate !== undefined && !enter(gate);
      if (hasVanished || isShut) throw new KnockgateError("UNREACHABLE", "edge.test:22: timed out");
      return connect();
    },
    knock: async (steps) => {
      if (loaded !== original && lostKnocks > 0 && steps.length > 0) {
        lostKnocks -= 1;
        return;
      }
      packets.push(...steps);
      for (const step of steps) meet(step);
      const gates = policyLoaded()?.gates ?? [];
      const hit = gates.find(
        (gate) => isSequenceGate(gate) && JSON.stringify(stepsOf(gate)) === JSON.stringify(steps),
      );
      if (hit !== undefined && !hasVanished) openDoors.add(hit.name);
    },
    probePort: async (port) => {
      const policy = policyLoaded();
      const gate = policy === undefined ? undefined : findGate(policy, port);
      if (hasVanished) return "silent";
      if (gate === undefined || enter(gate) || (leaks && loaded !== original)) {
        return port === 22 ? "open" : "refused";
      }
      count(`${gate.name}_dropped`);
      return "silent";
    },
  };

  return {
    context: {
      routes: [route],
      dialing: {
        host: fakeName,
        port: 22,
        purse: makePurse(
          () => fakeNowMs,
          () => 0.5,
        ),
        perDialTimeoutMs: 0,
        errorLimit: 0,
      },
      now: () => fakeNowMs,
      newId: () => `change-${++ids}`,
      log: (line) => lines.push(line),
    },
    lines,
    calls,
    taken: tokens.taken,
    packets,
    health,
    get state() {
      return { loaded, confirmed, pending, openConnections };
    },
    elapse: () => {
      if (pending !== undefined) load(pending.undo);
      pending = undefined;
      hasVanished = isUnreachable;
    },
  };
}

function say(stdout: string): CommandResult {
  return { code: 0, stdout, stderr: "" };
}

function refuse(code: number, stderr: string): CommandResult {
  return { code, stdout: "", stderr: `${stderr}\n` };
}

function section(name: string, text: string): string {
  return `== ${name}\n${text.replace(/^(?=.)/gm, "|").replace(/^$(?=\n)/gm, "|")}`;
}

/** The last command is the program's purpose. The others prepare it. */
function readCommand({ functions, commands }: Program): [Command, ...string[]] {
  const [, confirmed = ""] = /^set -- (.+)$/m.exec(commands) ?? [];
  if (functions === undefined && confirmed === "") return ["health"];
  const [, words = confirmed, digest] =
    [...commands.matchAll(/^(?:main (.+)|stage_end (\S+) \d+)$/gm)].at(-1) ?? [];
  if (digest !== undefined) return ["stage", digest];
  const [command, ...rest] = [...words.matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
  return [command as Command, ...rest];
}

function readFile(program: string, name: string): string {
  const [, line] = new RegExp(`^put_line ${name} (.*)$`, "m").exec(program) ?? [];
  if (line !== undefined) return line.replace(/^'(.*)'$/, "$1");
  const [, text] = new RegExp(`^put_file ${name} '([^']*)'$`, "m").exec(program) ?? [];
  return text === undefined ? "" : `${text}\n`;
}

/** As `nft -j list ruleset` says it. */
function listTable(policy: Policy, counts: ReadonlyMap<string, number>): object {
  const ruleset = lowerForBackend(policy);
  const own = { family: "inet", table: tableName(policy.name) };
  const sets = ruleset.sets.flatMap((set) =>
    (["ipv4", "ipv6"] as const).map((family) => {
      const { type, size } = setShape(set, family);
      const parts = type.split(" . ");
      const shape = { ...own, type: parts.length === 1 ? type : parts, size, flags: ["dynamic", "timeout"] };
      return { set: { name: familySetName(set.name, family), ...shape } };
    }),
  );
  const counters = ruleset.counters.map(({ name }) => ({
    counter: { ...own, name, packets: counts.get(name) ?? 0 },
  }));
  const chains = ruleset.chains.map(({ name }) => {
    const { hook, priority } = baseChain(ruleset.scope);
    const base = { type: "filter", hook, prio: priority, policy: "accept" };
    return { chain: { ...own, name, ...(name === "input" ? base : {}) } };
  });
  return { nftables: [{ metainfo: { json_schema_version: 1 } }, ...counters, ...sets, ...chains] };
}
