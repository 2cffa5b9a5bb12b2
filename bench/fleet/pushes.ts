import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../lab/command";
import type { LabHost } from "../../lab/host";
import { planLoad } from "../../src/backends/load";
import { parsePolicy } from "../../src/policy/parse";
import type { Policy } from "../../src/policy/policy";
import { ansiblePlaybook } from "../../tools/setup/ansible-place.mjs";
import { pushBySsh2 } from "../change/bare";
import { stepsOf, type Target, writeSshConfig } from "../change/target";
import { makePolicy } from "../scale/subjects";
import { readHostSeconds } from "./host-time";

/** Hosts at a time. The engine's own default on two processors. */
export const parallel = 8;

const limitMs = 600_000;
/** Where Ansible puts the ruleset. */
const place = "/etc/knockgate-bench.nft";

/** The cost of one push. */
export interface PushCost {
  readonly seconds: number;
  /** Processor seconds of the hosts. */
  readonly hostSeconds: number;
}

/** Ways to bring one ruleset to many hosts without the engine. Each leaves the hosts as they were. */
export interface Pushes {
  /** Two sessions for each host and one `nft -f -`, with this many hosts at a time. */
  bySsh2(count: number, parallel: number): Promise<PushCost>;
  /** `ssh HOST nft -f -` in a loop of a shell: one session a host. */
  byShell(count: number): Promise<PushCost>;
  /** A play of `copy` and `command`, with this many forks. */
  byAnsible(count: number, parallel: number, isPipelined: boolean): Promise<PushCost>;
}

export function preparePushes(hosts: readonly LabHost[], privateKey: string, directory: string): Pushes {
  const own = join(directory, "pushes");
  mkdirSync(own);
  const targets = hosts.map(
    ({ name, ipv4, hostKey }): Target => ({ name, address: ipv4, hostKey, privateKey }),
  );
  const config = writeSshConfig(own, targets);
  const policy = readPolicy();
  const { text } = planLoad(policy, undefined, "127.0.0.1");
  const ruleset = join(own, "ruleset.nft");
  writeFileSync(ruleset, text);
  const play = join(own, "play.yml");
  writeFileSync(play, JSON.stringify(makePlay(ruleset)));
  /** The time to clear up is not counted. */
  const time = async (count: number, act: () => Promise<unknown>): Promise<PushCost> => {
    const [startedMs, hostsBefore] = [performance.now(), readHostSeconds()];
    await act();
    const seconds = (performance.now() - startedMs) / 1_000;
    const hostSeconds = readHostSeconds() - hostsBefore;
    const clearing = `nft flush ruleset; rm -f ${place}`;
    await inTurns(hosts.slice(0, count), 8, (host) => host.run(["sh", "-c", clearing]));
    return { seconds, hostSeconds };
  };
  return {
    bySsh2: (count, parallel) => {
      const push = { text, before: [], after: stepsOf(policy) };
      return time(count, () =>
        inTurns(targets.slice(0, count), parallel, (target) => pushBySsh2(target, push)),
      );
    },
    byShell: (count) => {
      const program = 'while read -r host; do ssh -F "$1" "$host" "nft -f -" <"$2" || exit; done';
      const stdin = names(targets, count, "\n");
      return time(count, () =>
        runCommand(["sh", "-c", program, "sh", config, ruleset], { stdin, timeoutMs: limitMs }),
      );
    },
    byAnsible: async (count, parallel, isPipelined) => {
      const sockets = mkdtempSync(join(own, "s"));
      const environment = [
        `ANSIBLE_HOME=${own}/ansible`,
        `ANSIBLE_SSH_CONTROL_PATH_DIR=${sockets}`,
        `ANSIBLE_PIPELINING=${isPipelined}`,
      ];
      const words = [
        "-i",
        names(targets, count, ","),
        "-f",
        `${parallel}`,
        "--ssh-common-args",
        `-F ${config}`,
        play,
      ];
      const argv = ["env", ...environment, ansiblePlaybook, ...words];
      const cost = await time(count, () => runCommand(argv, { timeoutMs: limitMs }));
      // Ansible leaves its connections open for a minute, for a play that may follow.
      const end = 'for socket in "$1"/*; do ssh -o ControlPath="$socket" -O exit host; done';
      await runCommand(["sh", "-c", end, "sh", sockets], { check: false });
      return cost;
    },
  };
}

/** An inventory in JSON: JSON is YAML, too. */
function makePlay(ruleset: string): readonly object[] {
  const tasks = [
    { name: "ruleset", "ansible.builtin.copy": { src: ruleset, dest: place, mode: "0600" } },
    { name: "load", "ansible.builtin.command": { argv: ["nft", "-f", place] } },
  ];
  return [{ hosts: "all", gather_facts: false, tasks }];
}

function readPolicy(): Policy {
  const reading = parsePolicy(makePolicy(0));
  if (reading.kind === "policy") return reading.policy;
  throw new Error(`no policy: ${JSON.stringify(reading)}`);
}

/** Ansible takes a string for a list of hosts only if it contains a comma. */
function names(targets: readonly Target[], count: number, separator: string): string {
  return targets
    .slice(0, count)
    .map(({ name }) => `${name}${separator}`)
    .join("");
}

async function inTurns<T>(
  list: readonly T[],
  parallel: number,
  act: (one: T) => Promise<unknown>,
): Promise<void> {
  const left = list.values();
  const work = async () => {
    for (const one of left) await act(one);
  };
  await Promise.all(Array.from({ length: parallel }, work));
}
