import { median } from "../statistics";
import { renderTable } from "../table";
import { phaseNames } from "./phases";

/** What the floor of the figure `change` has of a phase, where that is not simply nothing. */
const floors: Readonly<Record<string, string>> = {
  [phaseNames.silence]: "none: it proves no closed gate",
  [phaseNames.firstLogin]: "the same",
  [phaseNames.freshLogin]: "the same",
  [phaseNames.load]: "the same",
  [phaseNames.knocks]: "the same",
};

/** Renders how long each phase of a change took, in milliseconds of each change, and the whole: what took longest first. */
export function renderPhases(
  spent: ReadonlyMap<string, readonly number[]>,
  wholes: readonly number[],
): string {
  const whole = median(wholes);
  const rows = [...spent]
    .map(([name, all]) => ({ name, ms: median(all) }))
    .sort((one, other) => other.ms - one.ms)
    .map(({ name, ms }) => {
      // What is done meanwhile has no share of its own.
      if (name === phaseNames.count) return [name, `(${ms.toFixed(0)} ms)`, "", "none"];
      return [name, `${ms.toFixed(0)} ms`, `${((100 * ms) / whole).toFixed(0)} %`, floors[name] ?? "none"];
    });
  return renderTable(
    ["phase", "time", "share", "the floor's"],
    [...rows, ["all", `${whole.toFixed(0)} ms`, "", ""]],
  );
}
