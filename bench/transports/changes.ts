import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabHost } from "../../lab/host";
import { readProcessSeconds } from "../process-time";
import { listChildren, type TreeCost, watchTree } from "../process-tree";
import { makePolicy, type TransportName } from "../scale/subjects";

const sampleMs = 5;
const endLimitMs = 10_000;

/** What one change cost. */
interface ChangeCost {
  readonly seconds: number;
  /** Processor seconds of the process that made it. */
  readonly ownSeconds: number;
  /** Processor seconds of the processes that it started. */
  readonly childSeconds: number;
}

/** Changes one host again and again by one transport, in a process of its own. */
export interface TransportChanger {
  readonly name: TransportName;
  /** Makes the next change. */
  change(): Promise<ChangeCost>;
  /** Makes the next change, and looks at the memory meanwhile. That takes processor time. */
  watchChange(): Promise<TreeCost>;
  /** Ends the process, and brings the host back to its state before the first change. */
  close(): Promise<void>;
}

/** Gives a transport a host whose gate it changes. The first change is made. */
export async function openTransportChanger(
  name: TransportName,
  host: LabHost,
  privateKey: string,
): Promise<TransportChanger> {
  const { ipv4, hostKey } = host;
  const connection = { host: ipv4, user: "root", hostKey, privateKey, transport: name };
  // Without what loads TypeScript into this process.
  const child = fork(join(__dirname, "changer.cjs"), {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const pid = `${child.pid}`;
  let [turn, childSecondsBefore] = [0, 0];
  const change = async (): Promise<ChangeCost> => {
    turn += 1;
    const cost = await ask(child, { connection, policy: makePolicy(turn % 2) });
    await waitForChildren(pid);
    const { ofChildren } = readProcessSeconds(pid);
    const childSeconds = ofChildren - childSecondsBefore;
    childSecondsBefore = ofChildren;
    return { ...cost, childSeconds };
  };
  const close = async (): Promise<void> => {
    child.kill();
    await host.run(["sh", "-c", "nft flush ruleset; rm -rf /var/lib/knockgate"]);
  };
  try {
    await change();
  } catch (cause) {
    await close();
    throw cause;
  }
  return {
    name,
    change,
    watchChange: async () => {
      const watch = watchTree(pid);
      const timer = setInterval(watch.look, sampleMs);
      try {
        await change();
      } finally {
        clearInterval(timer);
      }
      return watch.cost;
    },
    close,
  };
}

async function ask(child: ChildProcess, inputs: object): Promise<Omit<ChangeCost, "childSeconds">> {
  child.send(inputs);
  const ended = new AbortController();
  const answer = await Promise.race([
    once(child, "message", { signal: ended.signal }),
    once(child, "exit", { signal: ended.signal }),
  ]).finally(() => ended.abort());
  const [cost] = answer;
  if (typeof cost !== "object" || cost === null) throw new Error(`the change ended with ${cost}`);
  return cost;
}

/** An ended process counts in its parent's time when that has waited for it. */
async function waitForChildren(pid: string): Promise<void> {
  const until = performance.now() + endLimitMs;
  while (listChildren(pid).length > 0) {
    if (performance.now() > until) throw new Error(`ssh did not end within ${endLimitMs} ms`);
    await sleep(2);
  }
}
