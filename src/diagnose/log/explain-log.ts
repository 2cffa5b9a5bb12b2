import { isTokenGate } from "../../policy/knock.js";
import type { Policy } from "../../policy/policy.js";
import { beginAttempt, type GateAttempt } from "../attempt.js";
import { formatMilliseconds } from "../capture/seconds.js";
import type { Simulation, SimulationOptions, TraceLine } from "../simulate.js";
import { type GateVerdict, judge } from "../verdict.js";
import type { LogEvent } from "./log-lines.js";

/**
 * Explains the real knocks in a host's log, in the shape of a simulation.
 *
 * A log has no lines for single steps, and at most `log.perMinute` lines of each kind. So a line that is missing proves
 * nothing. To see more, capture the packets.
 */
export function explainLogLines(
  policy: Policy,
  events: readonly LogEvent[],
  options: Pick<SimulationOptions, "showSecrets"> = {},
): Simulation {
  const beginMs = events[0]?.atMs ?? 0;
  const attempts = new Map<string, GateAttempt>();
  const trace = events.flatMap((event): readonly TraceLine[] => {
    const gate = policy.gates.find(({ name }) => name === event.gate);
    if (gate === undefined) return [];
    const key = `${event.source} ${event.gate}`;
    const attempt = attempts.get(key) ?? beginAttempt(event.source, gate, undefined);
    attempts.set(key, attempt);
    record(attempt, event);
    const said = `${describePacket(event, options.showSecrets === true)}: ${gate.name}: ${describe(attempt, event, beginMs)}`;
    return [{ atMs: event.atMs, source: event.source, text: said, isOfGate: true }];
  });
  const verdicts = [...attempts.values()].map((attempt) => judgeLogged(policy, attempt, beginMs));
  return { host: [], beginMs, trace, verdicts };
}

function record(attempt: GateAttempt, { event, atMs }: LogEvent): void {
  switch (event) {
    case "opened":
      attempt.openedAtMs.push(atMs);
      attempt.openUntilMs = atMs + attempt.gate.openForSeconds * 1_000;
      return;
    case "accepted":
      attempt.acceptedAtMs.push(atMs);
      return;
    case "dropped":
      attempt.droppedAtMs.push(atMs);
      return;
    case "reset": {
      const text = "another packet came between two steps, and strict put the source back to the start";
      attempt.causes.push({ reason: "put-back", text, taken: 1 });
      return;
    }
  }
}

function judgeLogged(policy: Policy, attempt: GateAttempt, beginMs: number): GateVerdict {
  const [came] = attempt.acceptedAtMs;
  const isKnown = attempt.openedAtMs.length > 0 || attempt.causes.length > 0;
  if (!isKnown && came === undefined) {
    const drops = `${attempt.droppedAtMs.length} × dropped at the closed door`;
    const isLogged = policy.log?.events.includes("opened") === true;
    const isToken = isTokenGate(attempt.gate);
    const lacking = isToken
      ? "no token opened the door: none came, or it was used, late, early or not of this gate and host"
      : "the knock was not completed: a step did not come, came late, or was another one";
    const why = isLogged
      ? lacking
      : 'it is not known whether a knock was completed: log.events has no "opened"';
    const reason = isToken ? "no-step" : "missing-step";
    attempt.causes.push({ reason, text: `${drops}; ${why}`, taken: 0 });
  }
  const verdict = judge(attempt, beginMs, undefined);
  if (attempt.openedAtMs.length > 0 || came === undefined) return verdict;
  const text = `a connection came through the open door at ${formatMilliseconds(came - beginMs)}`;
  return { ...verdict, isOpen: true, reason: "open", text, advice: "" };
}

/**
 * Describes a packet without giving the knock away. `accepted` and `dropped` packets went to a protected port. An
 * `opened` or `reset` packet went to a step's port, or perhaps close to one.
 */
function describePacket({ event, packet, port }: LogEvent, showSecrets: boolean): string {
  const isOpen = showSecrets || event === "accepted" || event === "dropped";
  return port !== undefined && isOpen ? `${packet} ${port}` : packet;
}

function describe({ openUntilMs }: GateAttempt, { event, user, atMs }: LogEvent, beginMs: number): string {
  const until = formatMilliseconds(openUntilMs - beginMs);
  switch (event) {
    case "opened":
      return `${user === undefined ? "the last step" : `a token of ${user}`} came: the door is open until ${until}`;
    case "reset":
      return "another packet between two steps: strict puts the source back to the start";
    case "accepted":
      return `came through the open door${openUntilMs > 0 ? `, which closes at ${until}` : ""}`;
    case "dropped":
      return openUntilMs > 0 && atMs >= openUntilMs
        ? `dropped: the door closed ${formatMilliseconds(atMs - openUntilMs)} ago`
        : "dropped at the closed door";
  }
}
