import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { afterEach, expect, test } from "vitest";
import { listChildren, readResident, watchTree } from "../../../bench/process-tree";

/** Starts a shell that computes and then ends, a shell with a child, and one more Node. A word on standard input ends them. */
const program = `
const { spawn, spawnSync } = require("node:child_process");
spawnSync("sh", ["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]);
const shell = spawn("sh", ["-c", "cat; exit 0"]);
const node = spawn(process.execPath, ["-e", "process.stdin.resume(); console.log(1)"]);
shell.stdin.write("to cat");
const begun = [shell, node].map((child) => new Promise((resolve) => child.stdout.once("data", resolve)));
Promise.all(begun).then(() => console.log("ready"));
process.stdin.once("data", async () => {
  const ends = [shell, node].map((child) => new Promise((resolve) => child.once("exit", resolve)));
  for (const child of [shell, node]) child.stdin.end();
  await Promise.all(ends);
  console.log("alone");
});
process.stdin.once("end", () => process.exit());
`;

let top: ChildProcessByStdio<Writable, Readable, null> | undefined;
afterEach(() => top?.stdin.end());

test.skipIf(process.platform !== "linux")(
  "processes below one are counted at any depth, with their time and memory, and the ended ones with their time",
  async () => {
    top = spawn(process.execPath, ["-e", program], { stdio: ["pipe", "pipe", "inherit"] });
    await once(top.stdout, "data");
    const pid = `${top.pid}`;
    const watch = watchTree(pid);
    expect(watch.cost).toEqual({ seconds: 0, peakMegabytes: 0, peakWithTopMegabytes: 0, peakCount: 0 });
    watch.look();
    const { seconds, peakMegabytes, peakWithTopMegabytes } = watch.cost;
    // The other Node does not count: a child that runs its parent's program may only have been forked.
    expect(watch.cost.peakCount).toBe(2);
    expect(seconds).toBeGreaterThanOrEqual(0.05);
    expect(peakMegabytes).toBeGreaterThan(0);
    expect(peakMegabytes).toBeLessThan(10);
    expect(peakWithTopMegabytes).toBeGreaterThan(readResident(pid) / 2 + peakMegabytes);
    expect(listChildren(pid)).toHaveLength(2);

    top.stdin.write("end\n");
    await once(top.stdout, "data");
    expect(listChildren(pid)).toEqual([]);
    watch.look();
    expect(watch.cost).toMatchObject({ peakMegabytes, peakCount: 2 });
    expect(watch.cost.seconds).toBeGreaterThanOrEqual(seconds);
  },
);
