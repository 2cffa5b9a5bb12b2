import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";

/** Lets this process end although the child still runs. The child then sees the end of its stdin. */
export function letParentEnd(child: ChildProcess): void {
  child.unref();
  for (const stream of child.stdio) {
    if (stream instanceof Socket) stream.unref();
  }
}
