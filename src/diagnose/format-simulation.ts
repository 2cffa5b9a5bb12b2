import { formatMilliseconds } from "./capture/seconds.js";
import type { Simulation } from "./simulate.js";
import type { GateVerdict } from "./verdict.js";

/**
 * Writes a simulation as lines for a terminal: first the trace, then the verdicts.
 *
 * Packets that no gate knows, and sources that did nothing at any gate, are only counted if there are others.
 */
export function formatSimulation({ host, beginMs, trace, verdicts }: Simulation): string {
  const lines = trace.filter(({ isOfGate }) => isOfGate);
  const shown = lines.length === 0 ? trace.slice(0, 20) : lines;
  const hidden = trace.length - shown.length;
  const tried = verdicts.filter(
    ({ isTried, reason }) => isTried || ["allowed", "denied", "link-local"].includes(reason),
  );
  const untried = new Set(verdicts.map(({ source }) => source));
  for (const { source } of tried) untried.delete(source);
  return [
    ...(host.length === 0 ? [] : [`host: ${host.join(", ")}`]),
    ...shown.map(({ atMs, source, text }) => `${formatMilliseconds(atMs - beginMs)} ${source} ${text}`),
    ...(hidden > 0 ? [`${hidden} more that match no gate`] : []),
    ...(trace.length === 0 ? ["no packet came that could begin a knock or a connection"] : []),
    ...tried.map(formatVerdict),
    ...(untried.size > 0 ? [formatUntried([...untried])] : []),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function formatVerdict({ source, gate, isOpen, reason, text, advice }: GateVerdict): string {
  const next = advice === "" ? "" : ` ${advice}`;
  return `${source} at gate ${gate}: ${isOpen ? "open" : "closed"} [${reason}]: ${text}.${next}`;
}

function formatUntried(sources: readonly string[]): string {
  const [first = ""] = sources;
  const who = sources.length === 1 ? first : `${sources.length} sources (${first} among them)`;
  return `${who}: no step came, and no gate was tried`;
}
