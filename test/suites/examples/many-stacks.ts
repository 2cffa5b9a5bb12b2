import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackOf } from "../../../examples/many-stacks/split";
import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { killTree } from "../e2e/process-tree";

const root = join(__dirname, "..", "..", "..");

interface RollOut {
  readonly code: number | null;
  readonly printed: string;
  /** The lines of the summary, without its head, one blank between two cells. */
  readonly summary: readonly string[];
}

/** A user's project: the example's own files, with an inventory of the lab's hosts. */
interface ManyStacks {
  write(inventory: object): void;
  /**
   * Runs `npm run roll-out -- ARGS`.
   *
   * @param listen gets all that was printed so far. When it returns "kill", all processes are killed.
   */
  rollOut(args: readonly string[], listen?: (printed: string) => "kill" | undefined): Promise<RollOut>;
}

export function openProject(lab: Lab): ManyStacks {
  const place = mkdtempSync(join(lab.directory, "many-stacks-"));
  const [folder, backend] = [join(place, "project"), join(place, "backend")];
  const isOurs = (path: string) => !path.includes("node_modules");
  cpSync(join(root, "examples", "many-stacks"), folder, { recursive: true, filter: isOurs });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  mkdirSync(backend);
  const env = {
    ...process.env,
    PRIVATE_KEY: lab.privateKey,
    KNOCK_SEED: "0123456789abcdef0123456789abcdef",
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE: "only for the lab",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  return {
    write: (inventory) => writeFileSync(join(folder, "inventory.json"), JSON.stringify(inventory)),
    rollOut: (args, listen) =>
      new Promise((resolve) => {
        const child = spawn("tsx", ["roll-out.ts", ...args], { cwd: folder, env });
        let printed = "";
        let isKilled = false;
        const hear = (chunk: Buffer) => {
          printed += chunk.toString();
          if (isKilled || listen?.(printed) !== "kill") return;
          isKilled = true;
          killTree(child.pid ?? 0);
        };
        child.stdout.on("data", hear);
        child.stderr.on("data", hear);
        child.once("close", (code) => resolve({ code, printed, summary: readSummary(printed) }));
      }),
  };
}

function readSummary(printed: string): readonly string[] {
  const [, table = ""] = printed.split(/^stack .*left$/m);
  return table
    .trim()
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));
}

/** Names hosts so that each stack gets this many of them, in this order. */
export function nameHosts(
  hosts: readonly LabHost[],
  counts: Readonly<Record<string, number>>,
  stacks: readonly string[],
): Readonly<Record<string, object>> {
  const wanted = Object.entries(counts).flatMap(([stack, count]) => Array<string>(count).fill(stack));
  const named: Record<string, object> = {};
  for (const [index, stack] of wanted.entries()) {
    const { ipv4 = "", hostKey = "" } = hosts[index] ?? {};
    let number = 1;
    while (`edge-${number}` in named || stackOf(`edge-${number}`, stacks) !== stack) number += 1;
    named[`edge-${number}`] = { host: ipv4, hostKey };
  }
  return named;
}
