// One `up` of the real engine and the `destroy` after it, in a process of its own: otherwise the memory of an earlier
// run would count too. Reads an Errand as JSON from its stdin, and writes what the `up` cost as JSON.
import { text } from "node:stream/consumers";
import { openStack } from "../../lab/stack";
import { measure } from "../scale/measure";
import { findStateFile, weighState } from "../scale/state-size";
import { subjects } from "../scale/subjects";
import type { EngineErrand, EngineRun } from "./engine";
import { readHostSeconds } from "./host-time";

async function main(): Promise<void> {
  const { directory, subject, hosts, login, ballast, parallel }: EngineErrand = JSON.parse(
    await text(process.stdin),
  );
  const declared = { hosts, login, ballast, turns: new Map() };
  const stack = await openStack(directory, subjects[subject](declared), subject);
  const hostsBefore = readHostSeconds();
  const measured = await measure(async () => {
    const { summary } = await stack.up({ parallel });
    const { create = 0 } = summary.resourceChanges ?? {};
    if (create <= hosts.length)
      throw new Error(`up did something else: ${JSON.stringify(summary.resourceChanges)}`);
  });
  const hostSeconds = readHostSeconds() - hostsBefore;
  const run: EngineRun = {
    measured,
    hostSeconds,
    state: weighState(findStateFile(directory, subject), hosts.length),
  };
  await stack.destroy({ parallel });
  console.log(JSON.stringify(run));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
