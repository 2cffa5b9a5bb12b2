// npm run roll-out -- preview|up [STACK...]
// Rolls out the stacks of inventory.json, or only those named: some side by side, under one failure budget.
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { declareFleet, hostsOf, inventory } from "./fleet";
import { begin, countFailed, note, type Report, summarize } from "./report";
import { clearUnfinished, takeUp } from "./take-up";

const { stacks, stacksAtOnce, maxFailures } = inventory;
const [act, ...named] = process.argv.slice(2);
const reports = (named.length > 0 ? named : stacks).map((stack) => begin(stack, hostsOf(stack)));

async function main(): Promise<void> {
  if (act !== "preview" && act !== "up") throw new Error("usage: npm run roll-out -- preview|up [STACK...]");
  const waiting = [...reports];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (findStop() === undefined) await rollOut(act, next);
    }
  };
  await Promise.all(Array.from({ length: stacksAtOnce }, work));
  const failed = `hosts that failed: ${countFailed(reports)} (maxFailures is ${maxFailures})`;
  const end = act === "preview" ? "a preview: nothing was changed" : (findStop() ?? failed);
  console.log(`\n${summarize(reports)}\n${end}`);
  process.exitCode = reports.every((report) => report.end === "done") ? 0 : 1;
}

/** Says why nothing more is begun. */
function findStop(): string | undefined {
  const failed = countFailed(reports);
  return failed > maxFailures
    ? `stopped: hosts that failed: ${failed} (maxFailures is ${maxFailures})`
    : undefined;
}

async function rollOut(act: "preview" | "up", report: Report): Promise<void> {
  const say = (line: string | undefined) => {
    if (line !== undefined) console.log(`${report.stack}: ${line}`);
  };
  const endWave = () => {
    const stop = findStop();
    if (stop !== undefined) throw new Error(stop);
  };
  const program = async () => declareFleet(report.stack, endWave);
  report.end = "running";
  try {
    const stack = await LocalWorkspace.createOrSelectStack(
      { stackName: report.stack, projectName: "knockgate-many-stacks", program },
      { workDir: __dirname },
    );
    await takeUp(
      stack,
      () => stack[act]({ onEvent: (event) => say(note(report, event)), color: "never" }),
      say,
    );
    if (report.unfinished.length > 0) await clearUnfinished(stack);
    report.end = "done";
  } catch (error) {
    report.end = findStop() === undefined ? "failed" : "stopped";
    if (report.end === "failed" && report.errors.length === 0) report.errors.push(`${error}`);
  }
  say(report.end);
}

void main();
