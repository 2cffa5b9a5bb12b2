import type { CommandContext } from "../framework/command.js";

const wheel = ["|", "/", "-", "\\"];
const turnMs = 120;

/** Takes the lines of a change. */
type ProgressLog = (line: string) => void;

/**
 * Shows the progress of a change. On a terminal it shows the lines, and below them the time so far and when the host
 * would undo the change; elsewhere only the lines; with `isQuiet` nothing.
 *
 * @param undoAfterSeconds how long the host waits after it was armed
 */
export async function showProgress<T>(
  { note, live }: Pick<CommandContext, "note" | "live">,
  isQuiet: boolean,
  undoAfterSeconds: number,
  act: (log: ProgressLog) => Promise<T>,
): Promise<T> {
  if (isQuiet) return act(() => undefined);
  if (live === undefined) return act(note);
  const startedMs = performance.now();
  let armedMs: number | undefined;
  let turns = 0;
  const draw = (): void => {
    const now = performance.now();
    const left = armedMs === undefined ? undefined : undoAfterSeconds - (now - armedMs) / 1_000;
    const undo = left === undefined ? "" : `; the host undoes it in ${Math.max(0, Math.ceil(left))} s`;
    live(`${wheel[turns % wheel.length]} ${((now - startedMs) / 1_000).toFixed(1)} s${undo}`);
    turns += 1;
  };
  const timer = setInterval(draw, turnMs);
  try {
    return await act((line) => {
      if (/: 3\/6 arm: /.test(line)) armedMs = performance.now();
      if (/: 6\/6 confirm: /.test(line)) armedMs = undefined;
      live("");
      note(line);
      draw();
    });
  } finally {
    clearInterval(timer);
    live("");
  }
}
