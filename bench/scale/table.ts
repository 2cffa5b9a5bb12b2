import type { Series } from "./series";
import type { SubjectName } from "./subjects";

/** Renders what a subject's acts cost, and how much more each costs than the same act on no-ops. */
export function renderTable(
  subject: SubjectName,
  { hosts, acts, state }: Series,
  floor: Series | undefined,
): string {
  const lines = acts.map((act) => {
    const least = floor?.acts.find((one) => one.act === act.act);
    const cells = [
      act.act,
      act.seconds.toFixed(1),
      least === undefined ? "" : (act.seconds / least.seconds).toFixed(2),
      ...(["engine", "provider", "program"] as const).map((role) => {
        const { cpuSeconds, peakMegabytes } = act.roles[role];
        return `${cpuSeconds.toFixed(1)} s, ${peakMegabytes.toFixed(0)} MB`;
      }),
      `${act.machineMegabytes.toFixed(0)} MB`,
      ...(act.writtenMegabytes === undefined
        ? []
        : [`${act.roles.database.cpuSeconds.toFixed(1)} s, ${act.writtenMegabytes.toFixed(1)} MB written`]),
      act.blocks === undefined
        ? ""
        : `${act.blocks.longestWorkMs.toFixed(0)} ms (${act.blocks.longestMs.toFixed(0)} ms)`,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const more = acts.some(({ writtenMegabytes }) => writtenMegabytes !== undefined) ? ["database"] : [];
  const head = ["act", "seconds", "of the floor", "engine", "provider", "program", "machine", ...more];
  const parts = Object.entries(state.parts).map(([part, bytes]) => `| ${part} | ${bytes} |`);
  return [
    `${hosts} hosts, ${subject}: ${state.bytesPerHost} bytes of state a host, ${state.gzipBytesPerHost} with gzip`,
    "",
    "| part of the state | bytes a host |",
    "| --- | --- |",
    ...parts,
    "",
    `| ${[...head, "longest block"].join(" | ")} |`,
    `|${" --- |".repeat(head.length + 1)}`,
    ...lines,
    "",
  ].join("\n");
}
