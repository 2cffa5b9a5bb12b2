import type { EngineEvent } from "@pulumi/pulumi/automation";

type Result = "changed" | "same" | "removed" | "failed";

/** What a run has done to one stack so far. */
export interface Report {
  stack: string;
  hosts: string[];
  end: "not begun" | "running" | "done" | "stopped" | "failed";
  results: Map<string, { result: Result; why?: string }>;
  errors: string[];
  /** The resources that a killed run has left unfinished. */
  unfinished: string[];
}

export function begin(stack: string, hosts: string[]): Report {
  return { stack, hosts, end: "not begun", results: new Map(), errors: [], unfinished: [] };
}

/** Notes what the engine says. Returns a line for a person, if there is something to say. */
export function note(report: Report, event: EngineEvent): string | undefined {
  const { diagnosticEvent: said, resOutputsEvent: ended, resOpFailedEvent: broken } = event;
  // The summary's last line says why a wave was stopped.
  const isOfResource = said?.severity === "error" && said.urn && !said.message.startsWith("before hook");
  if (isOfResource) report.errors.push(said.message.trim());
  const unfinished = said?.message.match(/[^\s:]+(?=, interrupted while)/g);
  if (unfinished) {
    report.unfinished = unfinished;
    return `a killed run has left unfinished: ${unfinished}`;
  }
  const metadata = ended?.metadata ?? broken?.metadata;
  if (metadata?.type !== "pulumi-nodejs:dynamic/knockgate:Ruleset") return undefined;
  const host = metadata.urn.replace(/^.*::web-/, "");
  // A host's resource does not fail with its host, so that the wave can count it. A plan has the earlier failure.
  const why = broken
    ? "the errors below say why"
    : ended?.planning
      ? undefined
      : metadata.new?.outputs["failure"];
  const result = readResult(metadata.op, why);
  report.results.set(host, { result, why });
  return result === "same" ? undefined : `${host} ${result}`;
}

function readResult(op: string, why: string | undefined): Result {
  if (why) return "failed";
  if (op === "same") return "same";
  return op === "delete" ? "removed" : "changed";
}

export function countFailed(reports: readonly Report[]): number {
  return reports.reduce((sum, report) => sum + count(report, "failed"), 0);
}

function count({ results }: Report, wanted: Result): number {
  return [...results.values()].filter(({ result }) => result === wanted).length;
}

/** A line for each stack, then one for each host that failed and for each error. */
export function summarize(reports: readonly Report[]): string {
  const lines = reports.map((report) => {
    const { stack, hosts, end, results } = report;
    const counts = (["changed", "same", "removed", "failed"] as const).map((result) => count(report, result));
    return [stack, end, hosts.length, ...counts, hosts.filter((host) => !results.has(host)).length];
  });
  const rows = [["stack", "", "hosts", "changed", "same", "removed", "failed", "left"], ...lines];
  const table = rows.map((cells) =>
    cells
      .map((cell) => `${cell}`.padEnd(10))
      .join("")
      .trimEnd(),
  );
  const troubles = reports.flatMap(({ stack, results, errors }) => [
    ...[...results].flatMap(([host, { why }]) => (why ? [`${stack}: ${host}: ${why}`] : [])),
    ...errors.map((error) => `${stack}: ${error}`),
  ]);
  return [...table, ...troubles].join("\n");
}
