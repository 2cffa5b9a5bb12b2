import { unreachable } from "../errors.js";
import type { Step } from "../policy/step.js";
import type { SecretFormatter } from "../ruleset/ruleset.js";

/** Describes a step. `show` prints its port and its size. */
export function describeStep(gate: string, step: Step, position: number, show: SecretFormatter): string {
  const match = { gate, position, packet: step };
  const withPayload = (bytes: number) => `with ${describeBytes(show(match, "payload", bytes))} of payload`;
  switch (step.kind) {
    case "tcp":
      return `TCP SYN to port ${show(match, "port", step.port)}`;
    case "udp": {
      const datagram = `UDP datagram to port ${show(match, "port", step.port)}`;
      return step.payloadBytes === undefined ? datagram : `${datagram} ${withPayload(step.payloadBytes)}`;
    }
    case "icmpEcho":
      return `echo request ${withPayload(step.payloadBytes)}`;
    default:
      return unreachable(step);
  }
}

function describeBytes(shown: string): string {
  return shown === "1" ? "1 byte" : `${shown} bytes`;
}

/** Writes a time in the largest unit in which it is a whole number: `30 s`, `2 min`, `1 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** Writes ascending numbers and joins runs: `3-5, 9`. Writes `-` if there are none. */
export function formatLines(lines: readonly number[]): string {
  const text = groupRuns(lines).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  return text.length === 0 ? "-" : text.join(", ");
}

/** Groups ascending numbers into runs of neighbours. Returns the first and the last number of each run. */
export function groupRuns(numbers: readonly number[]): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}
