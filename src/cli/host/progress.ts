import type { Surroundings } from "../command.js";

const wheel = ["|", "/", "-", "\\"];
const turnMs = 120;

/** Where lines of a change go. */
type Log = (line: string) => void;

/**
 * Shows how a change goes on: on a terminal its lines, and below them how long it has taken and when the host would undo
 * it; elsewhere the lines alone. With `isQuiet` nothing.
 *
 * @param undoAfterSeconds how long the host waits once it is armed
 */
export async function showProgress<T>(
  { note, live }: Pick<Surroundings, "note" | "live">,
  isQuiet: boolean,
  undoAfterSeconds: number,
  act: (log: Log) => Promise<T>,
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
