import { median } from "../statistics";
import { renderTable } from "../table";
import { phaseNames } from "./phases";

/** What the floor of the figure `change` does in a phase, if it does anything. */
const floors: Readonly<Record<string, string>> = {
  [phaseNames.silence]: "none: it proves no closed gate",
  [phaseNames.firstLogin]: "the same",
  [phaseNames.freshLogin]: "the same",
  [phaseNames.load]: "the same",
  [phaseNames.knocks]: "the same",
};

/** Renders how long each phase and the whole of a change took, in milliseconds: the longest phase first. */
export function renderPhases(
  spent: ReadonlyMap<string, readonly number[]>,
  wholes: readonly number[],
): string {
  const whole = median(wholes);
  const rows = [...spent]
    .map(([name, all]) => ({ name, ms: median(all) }))
    .sort((one, other) => other.ms - one.ms)
    .map(({ name, ms }) => {
      // This phase runs while another one waits, so it has no share of its own.
      if (name === phaseNames.count) return [name, `(${ms.toFixed(0)} ms)`, "", "none"];
      return [name, `${ms.toFixed(0)} ms`, `${((100 * ms) / whole).toFixed(0)} %`, floors[name] ?? "none"];
    });
  return renderTable(
    ["phase", "time", "share", "the floor's"],
    [...rows, ["all", `${whole.toFixed(0)} ms`, "", ""]],
  );
}
